"""`python -m bench.closing`: what closing months costs, beside a rebuild and runs without it."""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Measurement, measure
from bench.servers import new_server
from bench.workload import GENERATIONS_PER_MONTH, Result, Workload
from local_postgres.databases import NAME, connect, environment
from local_postgres.server import Server

OUTPUT = Path(__file__).with_name("results") / "closing.md"
MONTHS = """
select to_char(month_start, 'YYYY-MM') as month, generations
from analytics.monthly_usage
where month_start < (select max(month_start) from analytics.monthly_usage)
order by month_start
"""
# Rows of a month that is over change, so that it is restated.
CHANGE_THE_PAST = """
update enhancement_tasks
set status = case status when 'completed' then 'failed' else 'completed' end
where id in (
    select id from enhancement_tasks
    where status in ('completed', 'failed')
        and created_at >= '{month}-15Z' and created_at < '{month}-16Z'
    order by id limit {count}
)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    options = _parser().parse_args(arguments)
    with new_server() as (server, folder):
        workload = Workload(server, folder, options.scale, options.changes, options.rounds)
        lines = _measure(server, workload, options)
    options.output.write_text("\n".join(lines) + "\n")
    print(options.output.read_text())
    return 0


def _measure(server: Server, workload: Workload, options: argparse.Namespace) -> list[str]:
    workload.generate()
    workload.add_indexes()
    moments = workload.moments(2 * (options.rounds + 1) + 1)
    rebuild = list(workload.rebuild(1, moments[0]))
    without = _runs(workload, moments[1 : options.rounds + 2])
    # The marts that nightly runs make; a close needs all of one moment.
    _dbt(server, workload, moments[options.rounds + 1], "run", "--exclude", "tag:python")
    with connect(server, NAME) as connection, connection.cursor() as cursor:
        cursor.execute(MONTHS)
        months = cursor.fetchall()
    closes = [
        _operate(server, workload, moments[0], "close_month", month=month, by="bench")
        for month, _ in months
    ]
    verify = _operate(server, workload, moments[0], "verify_closes")
    with_closes = _runs(workload, moments[options.rounds + 2 :])
    nightly = _dbt(server, workload, moments[-1], "run", "--exclude", "tag:python")
    _execute(server, CHANGE_THE_PAST.format(month=months[-1][0], count=options.changes))
    restating = _dbt(server, workload, moments[-1], "run", "--exclude", "tag:python")
    rebuild_closed = list(workload.rebuild(2, moments[-1]))
    return _report(
        options,
        {
            "full rebuild": [result.cost for result in rebuild],
            "full rebuild, all months but the last closed": [each.cost for each in rebuild_closed],
            f"closing a month of {months[-1][1]:,} generations": closes[-1:],
            f"closing each of {len(months)} months": closes,
            "verify_closes of all of them": [verify],
            "scheduled run, nothing closed": without,
            "scheduled run, all months but the last closed": with_closes,
            "nightly run (models), closed, nothing new": [nightly],
            f"nightly run (models) that restates {options.changes:,} rows": [restating],
        },
    )


def _runs(workload: Workload, moments: Sequence[object]) -> list[Measurement]:
    """Scheduled runs after new and changed rows, but for the first, which fills caches."""
    results: list[Result] = list(workload.scheduled_runs(list(moments)))
    return [result.cost for result in results[1:]]


def _dbt(server: Server, workload: Workload, as_of: object, *arguments: str) -> Measurement:
    return measure(server, workload.dbt(as_of, *arguments), environment(server))


def _operate(
    server: Server, workload: Workload, as_of: object, name: str, **arguments: str
) -> Measurement:
    given = ("--args", json.dumps(arguments)) if arguments else ()
    return _dbt(server, workload, as_of, "run-operation", name, *given)


def _execute(server: Server, statement: str) -> None:
    with connect(server, NAME) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _report(options: argparse.Namespace, costs: dict[str, list[Measurement]]) -> list[str]:
    database = {
        work: statistics.median(cost.database_seconds for cost in found)
        for work, found in costs.items()
    }
    rebuild, rebuild_closed, close, _, _, without, with_closes, *_ = database.values()
    return [
        "# What closing months costs",
        "",
        f"{options.scale:,} generations ({GENERATIONS_PER_MONTH:,} a month), {options.changes:,}"
        f" new and changed rows before each scheduled run, medians of {options.rounds} of them;"
        f" load {os.getloadavg()[2]:.1f} over the last 15 minutes. Database time: `active_time` of"
        " pg_stat_database.",
        "",
        "| what | measured | wanted |",
        "|---|---|---|",
        f"| closing a month / full rebuild | {close / rebuild:.3f} | ≤ 0.05 at 10 M |",
        f"| scheduled run with closes / without | {with_closes / without:.2f} | ≤ 1.05 |",
        f"| full rebuild with closes / without | {rebuild_closed / rebuild:.2f} | |",
        "",
        "| work | database s | wall s | client CPU s |",
        "|---|---|---|---|",
        *(
            f"| {work} | {database[work]:.3f}"
            f" | {statistics.median(cost.wall_seconds for cost in found):.3f}"
            f" | {statistics.median(cost.client_cpu_seconds for cost in found):.1f} |"
            for work, found in costs.items()
        ),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.closing", description=__doc__)
    parser.add_argument("--scale", type=int, default=1_000_000, help="generations (1000000)")
    parser.add_argument("--changes", type=int, default=10_000, help="before each run (10000)")
    parser.add_argument("--rounds", type=int, default=3, help="of scheduled runs (3)")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
