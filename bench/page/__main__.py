"""`python -m bench.page`: what the page costs, alone, beside Streamlit and during a run."""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from rich.console import Console
from rich.table import Table
from selenium.common.exceptions import WebDriverException

from bench.page import marts, report
from bench.page.marts import Marts
from bench.page.measure import measure
from bench.servers import kept_or_new
from reader.problems import Problem

RESULTS = Path(__file__).parents[1] / "results" / "page.md"

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; answer the exit code: 0, or 1 after a sentence."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _marts(options) as measured:
            figures = measure(
                measured, options.people, options.rounds, options.runs, options.idle, _say
            )
    except (
        ValueError,
        RuntimeError,
        OSError,
        psycopg2.Error,
        Problem,
        WebDriverException,
    ) as error:
        Console(stderr=True).print(str(error).strip(), style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; nothing was written, run it again")
        return 130
    table = Table("what", "measured", "wanted", "reached")
    for what, value, wanted, is_reached in report.lines(figures):
        table.add_row(what, value, wanted, {None: "", True: "yes", False: "NO"}[is_reached])
    console.print(table)
    report.write(figures, options.output)
    console.print(f"written to {options.output}", soft_wrap=True)
    return 0


@contextmanager
def _marts(options: argparse.Namespace) -> Iterator[Marts]:
    if options.own:
        yield marts.own()
        return
    changes = options.changes or max(options.scale // 1000, 20)
    _say(f"the server, the app's tables and the marts of {options.scale:,} generations")
    with (
        kept_or_new(options.folder) as folder,
        marts.in_folder(folder, options.scale, changes) as measured,
    ):
        yield measured


def _say(sentence: str) -> None:
    console.print(sentence, highlight=False, soft_wrap=True, markup=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument(
        "--scale", type=int, default=1_000_000, help="generations of history (1000000)"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--folder",
        type=Path,
        help="with the bench's server in server/: used as it is where there is one, else made and"
        " kept (a temporary folder)",
    )
    where.add_argument(
        "--own",
        action="store_true",
        help="the marts that PGHOST, PGUSER and the like point to, which are only read: without the"
        " scheduled run",
    )
    parser.add_argument(
        "--changes", type=int, help="new and changed rows before each scheduled run (scale / 1000)"
    )
    parser.add_argument("--people", type=int, default=20, help="who read at once (20)")
    parser.add_argument("--rounds", type=int, default=10, help="of visits in Chromium (10)")
    parser.add_argument("--runs", type=int, default=3, help="scheduled runs while people read (3)")
    parser.add_argument(
        "--idle", type=float, default=45, help="seconds of reading before each run (45)"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="file (bench/results/page.md)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
