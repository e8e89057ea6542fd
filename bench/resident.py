"""`python -m bench.resident`: the scheduler's runs beside those of new processes.

Both do the same work in turn in one run: the same changes before each, on the same database.
"""

import argparse
import os
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.measure import measure
from bench.servers import dbt_environment, new_server
from bench.workload import GENERATIONS_PER_MONTH
from demo.generator import History, generate
from local_postgres.databases import NAME, PROJECT, connect, new_database
from local_postgres.server import Server
from scheduler.outcome import SUCCEEDED
from scheduler.process import WarmDbt

COMMAND = ("build", "--selector", "frequent", "--no-write-json")
OUTPUT = Path(__file__).with_name("results") / "resident.md"
SAMPLE_SECONDS = 0.05
# As many as were asked for become otherwise than they were, among the newest.
CHANGE = """
update enhancement_tasks
set status = case status when 'completed' then 'failed' else 'completed' end
where id in (
    select id from enhancement_tasks where status in ('completed', 'failed') and created_at <= now()
    order by created_at desc limit {count}
)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    options = _parser().parse_args(arguments)
    with new_server() as (server, folder):
        _write(_measure(server, folder, options), options)
    return 0


def _measure(server: Server, folder: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    variables = dbt_environment(server, folder)
    os.environ.update(variables)
    os.chdir(PROJECT)
    months = max(round(options.scale / GENERATIONS_PER_MONTH), 1)
    with new_database(server) as connection:
        generate(connection, History(datetime.now(UTC), options.scale, months))
    _execute(server, "analyze", *_source_indexes())
    dbt = str(PROJECT / ".venv" / "bin" / "dbt")
    for first in (["seed"], ["run", "--exclude", "tag:python"]):
        measure(server, [dbt, *first], variables)
    found: dict[str, list[float]] = {each: [] for each in ("new", "peak", "warm", "memory")}
    resident = WarmDbt(PROJECT, [COMMAND])
    try:
        resident.start()
        for number in range(options.rounds + 1):
            _execute(server, CHANGE.format(count=options.changes))
            cost = measure(server, [dbt, *COMMAND], variables)
            _execute(server, CHANGE.format(count=options.changes))
            started = time.perf_counter()
            _run(resident)
            seconds = time.perf_counter() - started
            if number:  # the first of each fills caches
                found["new"].append(cost.wall_seconds)
                found["peak"].append(cost.client_peak_mib)
                found["warm"].append(seconds)
        for _ in range(options.runs):
            _run(resident)
            found["memory"].append(_memory(resident))
        with _Peak(resident) as peak:
            _execute(server, CHANGE.format(count=options.changes))
            _run(resident)
        found["resident peak"] = [peak.mib]
    finally:
        resident.stop(60)
    return found


def _run(resident: WarmDbt) -> None:
    outcome = resident.run(COMMAND)
    if outcome.status != SUCCEEDED:
        raise RuntimeError(f"a run {outcome.status}: {outcome.failed} {outcome.problem}")


def _processes(resident: WarmDbt) -> list[psutil.Process]:
    warm = psutil.Process(resident.process_id)
    return [psutil.Process(), warm, *warm.children(recursive=True)]


def _memory(resident: WarmDbt) -> float:
    """Memory of the scheduler and its dbt, in MiB; what both share counts for half in each."""
    total = 0
    for process in _processes(resident):
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total / 2**20


class _Peak:
    """The most memory of all processes together while it is entered, sampled."""

    def __init__(self, resident: WarmDbt) -> None:
        self.mib = 0.0
        self._resident = resident
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "_Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self.mib = max(self.mib, _memory(self._resident))


def _execute(server: Server, *statements: str) -> None:
    with connect(server, NAME) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _source_indexes() -> list[str]:
    text = (Path(__file__).with_name("sql") / "source_indexes.sql").read_text()
    return [part for part in text.split(";") if part.strip()]


def _write(found: dict[str, list[float]], options: argparse.Namespace) -> None:
    new, warm, peak = (statistics.median(found[each]) for each in ("new", "warm", "peak"))
    memory = found["memory"]
    lines = [
        "# What a resident scheduler saves",
        "",
        f"{options.scale:,} generations, {options.changes:,} changed tasks before each run, medians"
        f" of {options.rounds} rounds in turn; load {os.getloadavg()[2]:.1f} over the last 15"
        " minutes. Memory is proportional (PSS) and counts the scheduler too; one run's peak is"
        " its RSS.",
        "",
        "| what | measured | wanted |",
        "|---|---|---|",
        f"| `dbt {' '.join(COMMAND)}`, a new process, s | {new:.2f} | |",
        f"| the same by the scheduler, s | {warm:.2f} | |",
        f"| scheduler / new process | {warm / new:.2f} | ≤ 0.5 |",
        f"| peak memory of one dbt run, MiB | {peak:.0f} | |",
        f"| scheduler's memory after its first run, MiB | {memory[0]:.0f} | |",
        f"| after {len(memory)} runs, MiB | {memory[-1]:.0f} | |",
        f"| after {len(memory)} runs / one dbt run's peak | {memory[-1] / peak:.2f} | ≤ 1.3 |",
        f"| most while a run is at work / one dbt run's peak |"
        f" {found['resident peak'][0] / peak:.2f} | |",
    ]
    options.output.write_text("\n".join(lines) + "\n")
    print(options.output.read_text(), file=sys.stdout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.resident", description=__doc__)
    parser.add_argument("--scale", type=int, default=30_000, help="generations (30000)")
    parser.add_argument("--changes", type=int, default=300, help="before each run (300)")
    parser.add_argument("--rounds", type=int, default=7, help="of each kind of run (7)")
    parser.add_argument("--runs", type=int, default=200, help="for memory (200)")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
