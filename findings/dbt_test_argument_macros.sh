#!/usr/bin/env bash
# dbt makes an object of every macro of a project for each argument of a test.
#
# Versions: dbt-core 1.12.6, dbt-duckdb 1.11.1.
# Expected: a macro becomes an object when it is looked up and not before, as the class that finds
#   macros says of itself (`MacroNamespace` in dbt/context/macros.py); a test that calls no macro of the
#   project costs the same however many the project has.
# Seen: so it is for models. For a test, each of its arguments that is text is rendered in a namespace
#   that has been copied whole: 1,000 unused macros make about 1,000 objects more for each argument of
#   each test. With 1,500 macros and 350 tests that was a quarter of a build's CPU.
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
dependencies = ["dbt-core==1.12.6", "dbt-duckdb==1.11.1"]
[tool.uv]
exclude-dependencies = ["dbt-core-experimental-parser"]
TOML
tools/bin/uv sync --quiet

mkdir models macros
cat > dbt_project.yml <<'YAML'
name: finding
profile: finding
YAML
echo 'finding: {target: dev, outputs: {dev: {type: duckdb, path: finding.duckdb}}}' > profiles.yml
echo 'select 1 as id' > models/orders.sql
cat > models/orders.yml <<'YAML'
models:
  - name: orders
    columns: [{name: id, data_tests: [not_null]}]
YAML
cat > count.py <<'PYTHON'
import sys

from dbt.cli.main import dbtRunner
from dbt.clients.jinja import MacroGenerator

made = 0
make = MacroGenerator.__init__


def count(self, *given, **named):
    global made
    made += 1
    make(self, *given, **named)


manifest = dbtRunner().invoke(["parse", "--quiet"]).result
MacroGenerator.__init__ = count
result = dbtRunner(manifest=manifest).invoke([sys.argv[1], "--quiet"])
assert result.success, result.exception
print(made)
PYTHON
export DBT_SEND_ANONYMOUS_USAGE_STATS=false

.venv/bin/dbt --quiet run
few_run=$(.venv/bin/python count.py run) few_test=$(.venv/bin/python count.py test)
for number in $(seq 1000); do
    echo "{% macro unused_$number() %}{% endmacro %}"
done > macros/unused.sql
many_run=$(.venv/bin/python count.py run) many_test=$(.venv/bin/python count.py test)

echo "objects of macros that 1,000 unused macros add: to a run of one model $((many_run - few_run))," \
    "to one test of one column $((many_test - few_test))"
test $((many_run - few_run)) = 0
if [ $((many_test - few_test)) -lt 1000 ]; then echo "changed: a test makes what it uses"; exit 1; fi
