#!/usr/bin/env bash
# `dbt debug` and `mf` do not read vars.yml, so they refuse a project that `dbt build` accepts.
#
# Versions: dbt-core 1.12.6, dbt-duckdb 1.11.1, dbt-metricflow 0.15.0.
# Expected: vars.yml is new in 1.12 so that dbt_project.yml can call var(). `dbt build` does.
# Seen: build passes; `dbt debug`, the first command of a new user, and `mf list metrics` end with
#   Required var 'mart_schema' not found in config
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
dependencies = ["dbt-core==1.12.6", "dbt-duckdb==1.11.1", "dbt-metricflow==0.15.0"]
[tool.uv]
exclude-dependencies = ["dbt-core-experimental-parser"]
TOML
tools/bin/uv sync --quiet

mkdir models
cat > dbt_project.yml <<'YAML'
name: finding
profile: finding
models:
  finding:
    +schema: "{{ var('mart_schema') }}"
YAML
echo 'vars: {mart_schema: finance}' > vars.yml
echo 'finding: {target: dev, outputs: {dev: {type: duckdb, path: finding.duckdb}}}' > profiles.yml
echo 'select 1 as id' > models/orders.sql
export DBT_SEND_ANONYMOUS_USAGE_STATS=false

.venv/bin/dbt build | grep 'OK created sql view model main_finance.orders'
for command in 'dbt debug' 'mf list metrics'; do
    if .venv/bin/$command > log.txt 2>&1; then echo "changed: $command passes"; exit 1; fi
    echo "$command:" $(grep -o "Required var 'mart_schema' not found in config" log.txt | sort -u)
    grep -q "Required var 'mart_schema' not found in config" log.txt
done
