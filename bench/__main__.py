"""`python -m bench`: what runs cost, each against its rival, on this machine alone."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg2
from rich.console import Console

from bench import report
from bench.servers import new_server
from bench.workload import Result, Workload
from local_postgres.server import Server

RESULTS = Path(__file__).with_name("results")

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; answer the exit code: 0, or 1 after a sentence."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with new_server() as (server, folder):
            results = _measure(server, folder, options)
    except (ValueError, RuntimeError, OSError, psycopg2.Error) as error:
        Console(stderr=True).print(str(error).strip(), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; nothing was written, run it again")
        return 130
    report.write(results, options.output, options.changes or options.scale // 1000)
    console.print(f"written to {options.output}/. Next: read {options.output / 'bench.md'}")
    return 0


def _measure(server: Server, folder: Path, options: argparse.Namespace) -> list[Result]:
    changes = options.changes or options.scale // 1000
    results: list[Result] = []
    for scale in (options.scale // 100, options.scale // 10, options.scale):
        workload = Workload(server, folder, scale, changes, options.rounds)
        with console.status(f"generating {scale:,} generations"):
            workload.generate()
        full = scale == options.scale
        _collect(results, workload.run() if full else workload.scheduled_only())
    return results


def _collect(results: list[Result], measured: object) -> None:
    for result in measured:
        results.append(result)
        console.print(
            f"{result.scale:>11,}  {'with' if result.indexes else 'without'} source indexes  "
            f"{result.work}, {result.subject}, round {result.round}: "
            f"{result.cost.wall_seconds:.3f} s, database {result.cost.database_seconds:.3f} s",
            highlight=False,
            soft_wrap=True,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--scale", type=int, default=1_000_000, help="generations of history (1000000)"
    )
    parser.add_argument(
        "--changes", type=int, help="new and changed rows before each scheduled run (scale / 1000)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds of rebuilds, refreshes and raw queries (3)"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder (bench/results)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
