"""`python -m export 2026-10`: a month of the marts as files."""

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlsxwriter.exceptions import XlsxWriterException

from export import month
from reader.database import Database
from reader.libpq import use_demo_by_default
from reader.months import read_month
from reader.options import add_schema
from reader.problems import ENDINGS, Problem, told
from reader.progress import shown_progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; answer the exit code: 0, or 1 after a sentence."""
    options = _parser().parse_args(arguments)
    try:
        if options.month is None:
            raise Problem("Name the month: make export MONTH=2026-10.")
        first_day = read_month(options.month)
        use_demo_by_default()
        folder = options.to or Path("exports") / options.month
        database = Database(options.schema, 1, "paygen export", timeout="10min")
        with shown_progress() as tell:
            manifest = month.write(database, first_day, folder, tell)
    except (*ENDINGS, OSError, XlsxWriterException) as error:
        return told(error, "nothing was written")
    _tell(manifest, folder)
    return 0


def _tell(manifest: dict[str, Any], folder: Path) -> None:
    for file in manifest["files"]:
        print(f"{file['rows']:>12,} rows {file['bytes']:>14,} bytes  {file['name']}")
    print(f"{manifest['month']}, {manifest['covers']}, in {manifest['timezone']}, is in {folder}.")
    if (close := manifest["close"])["state"] == "closed":
        restated = close["restated_figures"]
        print(f"It is closed, by {close['signed_by']}; {restated} figures were restated since.")
    book = folder / month.workbook_name(manifest["month"])
    print(f"next: open {shlex.quote(str(book))}")
    if missing := manifest["missing_marts"]:
        print(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: run"
            " `dbt build --selector daily` and export again."
        )
    if behind := manifest["marts_behind"]:
        print(
            f"{', '.join(behind)} {'is' if len(behind) == 1 else 'are'} of an earlier moment than"
            " the rest: run `dbt build --selector daily` and export again."
        )
    if not manifest["is_complete"]:
        print("The month is not over: export it again after its end and a build.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export",
        description="Write a month of the marts as CSV, Parquet, a workbook and a FOCUS file, with"
        " a manifest. Reads as a reader role, by libpq's variables (PGHOST, PGUSER, PGDATABASE,"
        " ...), else the demo's marts.",
    )
    parser.add_argument("month", nargs="?", metavar="MONTH", help="YYYY-MM, as in 2026-10")
    parser.add_argument(
        "--to", type=Path, metavar="DIR", help="folder of the files (exports/MONTH)"
    )
    add_schema(parser)
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
