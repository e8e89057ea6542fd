#!/usr/bin/env bash
# A failed on-run-start hook ends in a Python error, instead of its own, where an exposure is built.
#
# Versions: dbt-core 1.12.6, dbt-duckdb 1.11.1.
# Expected: with the flag `skip_nodes_if_on_run_start_fails`, which dbt documents, a failed hook skips
#   all nodes; the last words name the hook and its error, and `run_results.json` lists the skipped.
# Seen: without exposures it does. With one exposure `dbt build` ends with "'Exposure' object has no
#   attribute 'schema'", exit code 2, and writes no run_results.json: nobody can tell which hook failed
#   but from the lines above. `dbt run`, which builds no exposures, is fine.
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

mkdir models
cat > dbt_project.yml <<'YAML'
name: finding
profile: finding
on-run-start: ["select * from a_table_that_is_missing"]
flags: {skip_nodes_if_on_run_start_fails: true}
YAML
echo 'finding: {target: dev, outputs: {dev: {type: duckdb, path: finding.duckdb}}}' > profiles.yml
echo 'select 1 as id' > models/orders.sql
export DBT_SEND_ANONYMOUS_USAGE_STATS=false

build() {
    rm -rf target
    code=0
    .venv/bin/dbt --no-use-colors "$1" > log.txt 2>&1 || code=$?
}

build build
echo "without an exposure: exit code $code, run results $(test -f target/run_results.json && echo written)"
test "$code" = 1
test -f target/run_results.json

cat > models/exposures.yml <<'YAML'
exposures:
  - name: page
    type: dashboard
    owner: {name: sales, email: sales@example.com}
    depends_on: [ref('orders')]
YAML
build run
echo "with one, dbt run: exit code $code"
test "$code" = 1

build build
if ! grep -q "'Exposure' object has no attribute 'schema'" log.txt; then
    echo "changed: dbt build with an exposure exits with $code"; exit 1
fi
echo "with one, dbt build: exit code $code," "$(grep -o "'Exposure' object.*" log.txt | tail -1)"
test "$code" = 2
if test -f target/run_results.json; then echo "changed: run results are written"; exit 1; fi
