#!/usr/bin/env bash
# A ratio metric under a model's `metrics:` makes the partial parse after any edit of the file fail.
#
# Versions: dbt-core 1.12.6, dbt-duckdb 1.11.1, dbt-metricflow 0.15.0.
# Expected: a new label of another metric parses as well with a saved parse as without one.
# Seen: the first parse passes, the edit does not: dbt found two metrics with the name
#   "revenue_per_order", and names the same file twice. It stays so until --no-partial-parse.
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
printf 'name: finding\nprofile: finding\n' > dbt_project.yml
echo 'finding: {target: dev, outputs: {dev: {type: duckdb, path: finding.duckdb}}}' > profiles.yml
echo "select date '2024-01-01' as date_day" > models/days.sql
echo "select 1 as order_id, date '2024-01-01' as ordered_on, 10 as amount" > models/orders.sql
cat > models/orders.yml <<'YAML'
models:
  - name: days
    time_spine: {standard_granularity_column: date_day}
    columns: [{name: date_day, granularity: day}]
  - name: orders
    semantic_model: {enabled: true}
    agg_time_dimension: ordered_on
    columns:
      - {name: order_id, entity: {type: primary, name: order}}
      - {name: ordered_on, granularity: day, dimension: {type: time}}
    metrics:
      - {name: revenue, label: Revenue, type: simple, agg: sum, expr: amount}
      - {name: order_count, type: simple, agg: count, expr: order_id}
      - {name: revenue_per_order, type: ratio, numerator: revenue, denominator: order_count}
YAML
parse() { .venv/bin/dbt --quiet --no-send-anonymous-usage-stats parse "$@"; }

parse
sed -i 's/label: Revenue/label: Revenue in dollars/' models/orders.yml
if parse > log.txt 2>&1; then echo "changed: the partial parse passes"; exit 1; fi
grep 'dbt found two metrics with the name "revenue_per_order"' log.txt
grep -c -- '- metric.finding.revenue_per_order (models/orders.yml)' log.txt | grep -x 2
parse --no-partial-parse
