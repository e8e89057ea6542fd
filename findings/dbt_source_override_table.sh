#!/usr/bin/env bash
# An override of a package's source refuses `config:` of a table, and forgets the package's columns.
#
# Versions: dbt-core 1.12.6, dbt-duckdb 1.11.1.
# Expected: what dbt documents of `overrides`: properties are applied on top of the package's, and a
#   table may have a `config:`. Such a block is in its own example, for freshness.
# Seen: (1) `config:` of a table ends with "is not valid under any of the given schemas"; the same
#   block of the source, and `meta:` of the table, are accepted. (2) One column that is named in the
#   override takes the place of all columns of the package, their types and descriptions included.
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

mkdir -p shop/models models
echo 'name: shop' > shop/dbt_project.yml
cat > shop/models/sources.yml <<'YAML'
sources:
  - name: raw
    schema: raw
    tables:
      - name: orders
        columns:
          - {name: id, data_type: bigint}
          - {name: amount, data_type: numeric}
YAML
echo '{name: finding, profile: finding}' > dbt_project.yml
echo 'packages: [{local: shop}]' > packages.yml
echo 'finding: {target: dev, outputs: {dev: {type: duckdb, path: finding.duckdb}}}' > profiles.yml
export DBT_SEND_ANONYMOUS_USAGE_STATS=false
.venv/bin/dbt --quiet deps

override() {
    printf 'sources:\n  - name: raw\n    overrides: shop\n    schema: live\n    tables:\n      - name: orders\n        %s\n' \
        "$1" > models/override.yml
    .venv/bin/dbt --quiet ls --resource-type source --output json \
        --output-keys 'schema columns config'
}

if override 'config: {meta: {team: sales}}' > log.txt 2>&1; then
    echo "changed: config of a table is accepted"; exit 1
fi
echo "config of a table:" $(grep -o 'is not valid under any of the given schemas' log.txt | head -1)
grep -q 'is not valid under any of the given schemas' log.txt

override 'meta: {team: sales}' > log.txt
grep -q '"schema": "live"' log.txt
grep -q '"team": "sales"' log.txt
grep -q '"amount"' log.txt
echo "meta of a table: accepted"

override 'columns: [{name: id, description: the key}]' > log.txt
if grep -q '"amount"' log.txt; then echo "changed: columns are merged"; exit 1; fi
echo "columns after one was named:" $(grep -o '"columns": {[^{]*' log.txt) "... and no amount"
