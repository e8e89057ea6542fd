"""`python -m bench.finance`: what closes, the vendor's statement and reasons cost.

All on one database: a rebuild and scheduled runs first; then all months but the last are closed and
a statement comes, with a line for each generation, its newest lines last; then the same runs again.
At the end the largest cell of each figure is explained.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.measure import Measurement, measure
from bench.servers import kept_or_new, workload_in
from bench.workload import GENERATIONS_PER_MONTH, Workload
from dashboard import explanation, queries
from local_postgres.databases import BUILD_ROLE, NAME, READER_ROLE, connect, environment
from reader.database import Database, Snapshot

OUTPUT = Path(__file__).with_name("results") / "finance.md"
MATCHED = ("int_vendor_lines", "generation_match", "monthly_vendor_reconciliation", "vendor_claims")
MONTHS = """
select to_char(month_start, 'YYYY-MM') as month, generations
from analytics.monthly_usage
where month_start < (select max(month_start) from analytics.monthly_usage)
order by month_start
"""
# What an earlier run of this bench left in a folder that is kept.
BEGIN_ANEW = (
    "truncate analytics_intermediate.int_month_closes, analytics_intermediate.int_closed_figures,"
    " analytics_intermediate.int_closed_generations, analytics_intermediate.int_closed_credits",
    "drop table if exists vendor_billing",
)
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
STATEMENT = (
    "create table vendor_billing"
    " (prediction_id text, state text, price_usd numeric, billed_at timestamptz)",
    f"grant select on vendor_billing to {BUILD_ROLE}",
)
# Nine failures in ten were given back a day later; one charge in a hundred is another sum.
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
NEWEST = """
select created_at from enhancement_tasks
where status in ('completed', 'failed') order by created_at desc limit 1 offset {lines}
"""

console = Console()


class Bench:
    """The works, on one database."""

    def __init__(self, workload: Workload):
        self.workload = workload
        self.moments = workload.moments(2 * (workload.rounds + 1) + 1)
        self.costs: dict[str, list[Measurement]] = {}

    def run(self, lines: int) -> tuple[int, int, dict[str, float]]:
        """Measure everything.

        Returns:
            the generations of the last closed month, the newest lines of the statement, and the
            seconds of each explanation.
        """
        rounds, server = self.workload.rounds, self.workload.server
        self._execute(*BEGIN_ANEW)
        console.print("a full rebuild, and scheduled runs with nothing closed")
        self.costs["full rebuild"] = [
            each.cost for each in self.workload.rebuild(1, self.moments[0])
        ]
        self.costs["scheduled run"] = self._scheduled(self.moments[1 : rounds + 2])
        now = self.moments[rounds + 1]
        # The marts that nightly runs make; a close needs all of one moment.
        self._dbt("nightly run (models), the first", now, "run", "--exclude", "tag:python")
        self._dbt("nightly run (models), nothing new", now, "run", "--exclude", "tag:python")

        with connect(server, NAME) as connection, connection.cursor() as cursor:
            cursor.execute(MONTHS)
            months = cursor.fetchall()
        console.print(f"closing {len(months)} months")
        close = "closing each month"
        for month, _ in months:
            self._operate(close, now, "close_month", month=month, by="bench")
        self.costs["closing the last month"] = self.costs[close][-1:]
        self._operate("verify_closes of all of them", now, "verify_closes")

        console.print("the statement")
        newest = self._load_statement(now, lines)

        console.print("scheduled runs with closes and statement")
        self.costs["scheduled run with both"] = self._scheduled(self.moments[rounds + 2 :])
        last = self.moments[-1]
        nightly = ("run", "--exclude", "tag:python")
        self._dbt("nightly run (models) with both, after scheduled runs", last, *nightly)
        self._dbt("nightly run (models) with both, nothing new", last, *nightly)
        self._execute(CHANGE_THE_PAST.format(month=months[-1][0], count=self.workload.changes))
        changed = f"nightly run (models) that restates {self.workload.changes:,} rows"
        self._dbt(changed, last, *nightly)
        console.print("explanations")
        return months[-1][1], newest, explain_largest_cells(self.workload)

    def _load_statement(self, now: Any, lines: int) -> int:
        """All but the newest lines first; then those come, and a run matches them."""
        with connect(self.workload.server, NAME) as connection, connection.cursor() as cursor:
            cursor.execute(NEWEST.format(lines=lines))
            (start,) = cursor.fetchone() or ("-infinity",)
        matching = ("run", "--select", *MATCHED)
        self._execute(*STATEMENT, LINES.format(condition=f"created_at <= '{start}'"))
        self._dbt("the lines before, matched", now, *matching)
        self._execute(LINES.format(condition=f"created_at > '{start}'"))
        self._dbt("the newest lines, matched", now, *matching)
        self._dbt("the same without a new line", now, *matching)
        with connect(self.workload.server, NAME) as connection, connection.cursor() as cursor:
            after = "select count(*) from vendor_billing where billed_at > %s"
            cursor.execute(after, [start])
            (newest,) = cursor.fetchone()
        return int(newest)

    def _scheduled(self, moments: Sequence[Any]) -> list[Measurement]:
        """Scheduled runs after new and changed rows, but for the first, which fills caches."""
        return [each.cost for each in self.workload.scheduled_runs(list(moments))][1:]

    def _dbt(self, work: str, as_of: Any, *arguments: str) -> None:
        server = self.workload.server
        command = self.workload.dbt(as_of, *arguments)
        self.costs.setdefault(work, []).append(measure(server, command, environment(server)))

    def _operate(self, work: str, as_of: Any, name: str, **arguments: str) -> None:
        given = ("--args", json.dumps(arguments)) if arguments else ()
        self._dbt(work, as_of, "run-operation", name, *given)

    def _execute(self, *statements: str) -> None:
        with connect(self.workload.server, NAME) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def explain_largest_cells(workload: Workload) -> dict[str, float]:
    """The seconds that the page's explanation takes of the largest cell of each figure."""
    os.environ.update(environment(workload.server, user=READER_ROLE))
    database = Database()
    seconds = {}
    with database.snapshot() as snapshot:
        figures = snapshot.rows(
            "select distinct mart, figure, cell_keys from {schema}.figure_parts order by 1, 2",
            ("figure_parts",),
            {},
        )
        (overview,) = snapshot.rows(queries.OVERVIEW.sql, queries.OVERVIEW.marts, {})
        for figure in figures:
            if asked := _largest_cell(snapshot, figure):
                began = time.perf_counter()
                explanation.read(snapshot, asked, overview)
                seconds[f"{asked.mart}.{asked.figure}"] = time.perf_counter() - began
    database.close()
    return seconds


def _largest_cell(snapshot: Snapshot, figure: dict[str, Any]) -> explanation.Asked | None:
    mart, name = figure["mart"], figure["figure"]
    rows = snapshot.rows(
        f"select * from {{schema}}.{mart} where {name} is not null order by {name} desc limit 1",
        (mart,),
        {},
    )
    keys = figure["cell_keys"].split(", ")
    return (
        explanation.Asked(
            mart, name, **{n: rows[0][k] for k, n in explanation.NAMES.items() if k in keys}
        )
        if rows
        else None
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    options = _parser().parse_args(arguments)
    with (
        kept_or_new(options.folder) as folder,
        workload_in(
            folder, options.scale, options.changes, options.rounds, [READER_ROLE]
        ) as workload,
    ):
        bench = Bench(workload)
        found = bench.run(options.lines or options.scale // 10)
    options.output.write_text("\n".join(_report(options, bench.costs, *found)) + "\n")
    print(options.output.read_text())
    return 0


def _report(
    options: argparse.Namespace,
    costs: dict[str, list[Measurement]],
    generations: int,
    newest: int,
    explained: dict[str, float],
) -> list[str]:
    def ratio(work: str, other: str) -> str:
        one, two = (
            statistics.median(cost.database_seconds for cost in costs[each])
            for each in (work, other)
        )
        return f"{one / two:.3f} ({one:.2f} s / {two:.2f} s)"

    slowest = sorted(explained.items(), key=lambda each: -each[1])[:5]
    return [
        "# What closes, the vendor's statement and reasons cost",
        "",
        f"{options.scale:,} generations ({GENERATIONS_PER_MONTH:,} a month), {options.changes:,}"
        f" new and changed rows before each scheduled run, medians of {options.rounds} of them;"
        f" {newest:,} newest lines of the statement; load {os.getloadavg()[2]:.1f} over the last 15"
        " minutes. Database time: `active_time` of pg_stat_database.",
        "",
        "| what, in database time | measured | wanted |",
        "|---|---|---|",
        f"| closing a month of {generations:,} generations / full rebuild"
        f" | {ratio('closing the last month', 'full rebuild')} | ≤ 0.05 at 10 M |",
        "| matching the newest lines / full rebuild"
        f" | {ratio('the newest lines, matched', 'full rebuild')} | ≤ 0.1 for 1 M at 10 M |",
        "| scheduled run with closes and statement / without"
        f" | {ratio('scheduled run with both', 'scheduled run')} | ≤ 1.05 |",
        f"| explaining the largest cell of each of {len(explained)} figures, s"
        f" | median {statistics.median(explained.values()):.2f},"
        f" slowest {max(explained.values()):.2f} | ≤ 1 |",
        "",
        "| work | database s | server CPU s | wall s | client CPU s |",
        "|---|---|---|---|---|",
        *(
            f"| {work} | "
            + " | ".join(
                f"{statistics.median(getattr(cost, each) for cost in found):.2f}"
                for each in (
                    *("database_seconds", "server_cpu_seconds"),
                    *("wall_seconds", "client_cpu_seconds"),
                )
            )
            + " |"
            for work, found in costs.items()
        ),
        "",
        "| slowest explanations | s |",
        "|---|---|",
        *(f"| `{cell}` | {seconds:.2f} |" for cell, seconds in slowest),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.finance", description=__doc__)
    parser.add_argument("--scale", type=int, default=1_000_000, help="generations (1000000)")
    parser.add_argument("--changes", type=int, default=10_000, help="before each run (10000)")
    parser.add_argument("--rounds", type=int, default=3, help="of scheduled runs (3)")
    parser.add_argument(
        "--lines", type=int, help="of the statement, that come last (a tenth of the scale)"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        help="with the bench's server in server/, as `bench.page` keeps it (a temporary folder)",
    )
    parser.add_argument("--output", type=Path, default=OUTPUT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
