"""`python -m bench.statement`: what matching the vendor's statement costs, beside a full rebuild.

The statement is a table of the app's database with a line for each generation. All but its last
month is there first; then that month comes, and a run matches it.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import Measurement, measure
from bench.servers import dbt_environment, new_server
from bench.workload import GENERATIONS_PER_MONTH
from demo.generator import History, generate
from local_postgres.databases import (
    BUILD_ROLE,
    NAME,
    PROJECT,
    connect,
    new_database,
)
from local_postgres.server import Server

OUTPUT = Path(__file__).with_name("results") / "statement.md"
MATCHED = ("int_vendor_lines", "generation_match", "monthly_vendor_reconciliation", "vendor_claims")
# One failure in ten was given back a day later; one charge in a hundred is another sum.
LINES = """
insert into vendor_billing
select id::text, 'deduct', case when right(id::text, 2) = '00' then 0.04 else 0.038 end,
    created_at + interval '40 seconds'
from enhancement_tasks
where {condition} and status in ('completed', 'failed');
insert into vendor_billing
select id::text, 'refund', 0.038, created_at + interval '1 day'
from enhancement_tasks
where {condition} and status = 'failed' and right(id::text, 1) <> '0';
analyze vendor_billing
"""
LAST_MONTH = "created_at >= date_trunc('month', (select max(created_at) from enhancement_tasks))"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    options = _parser().parse_args(arguments)
    with new_server() as (server, folder):
        _write(*_measure(server, folder, options), options)
    return 0


def _measure(
    server: Server, folder: Path, options: argparse.Namespace
) -> tuple[dict[str, Measurement], int]:
    variables = dbt_environment(server, folder)
    os.chdir(PROJECT)
    months = max(round(options.scale / GENERATIONS_PER_MONTH), 2)
    with new_database(server) as connection:
        generate(connection, History(datetime.now(UTC), options.scale, months))
    dbt = [str(PROJECT / ".venv" / "bin" / "dbt")]
    nightly = [*dbt, "run", "--exclude", "tag:python"]
    matching = [*dbt, "run", "--select", *MATCHED]
    found = {}
    measure(server, [*dbt, "seed"], variables)
    measure(server, nightly, variables)
    found["full rebuild without a statement"] = measure(
        server, [*nightly, "--full-refresh"], variables
    )
    found["nightly run without a statement"] = measure(server, nightly, variables)
    _execute(
        server,
        "create table vendor_billing"
        " (prediction_id text, state text, price_usd numeric, billed_at timestamptz)",
        f"grant select on vendor_billing to {BUILD_ROLE}",
        LINES.format(condition=f"not {LAST_MONTH}"),
    )
    found["the months before, matched"] = measure(server, matching, variables)
    _execute(server, LINES.format(condition=LAST_MONTH))
    found["the last month's lines, matched"] = measure(server, matching, variables)
    found["the same without a new line"] = measure(server, matching, variables)
    found["nightly run with a statement"] = measure(server, nightly, variables)
    with connect(server, NAME) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select lines from analytics.monthly_vendor_reconciliation"
            " order by month_start desc limit 1"
        )
        [(lines,)] = cursor.fetchall()
    return found, lines


def _execute(server: Server, *statements: str) -> None:
    with connect(server, NAME) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _write(found: dict[str, Measurement], lines: int, options: argparse.Namespace) -> None:
    rebuild = found["full rebuild without a statement"]
    matched = found["the last month's lines, matched"]
    nightly = found["nightly run with a statement"]
    rows = [
        f"| {what} | {cost.database_seconds:.2f} | {cost.server_cpu_seconds:.2f} |"
        f" {cost.wall_seconds:.1f} |"
        for what, cost in found.items()
    ]
    share = matched.server_cpu_seconds / rebuild.server_cpu_seconds
    before = found["nightly run without a statement"]
    growth = nightly.server_cpu_seconds / before.server_cpu_seconds
    lines_of_page = [
        "# What the vendor's statement costs",
        "",
        f"{options.scale:,} generations, one round; the last month has {lines:,} lines; load"
        f" {os.getloadavg()[2]:.1f} over the last 15 minutes.",
        "",
        "| what | measured | wanted |",
        "|---|---|---|",
        f"| the last month matched / full rebuild, server CPU | {share:.3f} | ≤ 0.1 |",
        f"| nightly run with / without a statement, server CPU | {growth:.2f} | |",
        "",
        "| run | database, s | server CPU, s | wall, s |",
        "|---|---|---|---|",
        *rows,
    ]
    options.output.write_text("\n".join(lines_of_page) + "\n")
    print(options.output.read_text(), file=sys.stdout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.statement", description=__doc__)
    parser.add_argument("--scale", type=int, default=1_000_000, help="generations (1000000)")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
