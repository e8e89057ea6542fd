"""`python -m statement folder`: load the files of the vendor's statement, or take one out again."""

import argparse
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from local_postgres.databases import BUILD_ROLE
from reader.libpq import use_demo_by_default
from reader.options import add_schema
from reader.problems import ENDINGS, Problem, shown, told
from statement import files
from statement.store import SHOWN, Loaded, opened


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answer the exit code: 0, or 1 after a sentence."""
    options = _parser().parse_args(arguments)
    try:
        if bool(options.place) == bool(options.forget):
            raise Problem("Name the folder: make load-statement FROM=folder.")
        use_demo_by_default(BUILD_ROLE)
        if options.forget:
            _forget(options)
        else:
            _load(options)
    except ENDINGS as error:
        return told(error, "nothing was loaded")
    return 0


def _load(options: argparse.Namespace) -> None:
    total = _total(options.total)
    statements = [files.read(path) for path in files.find(options.place)]
    with opened(options.schema) as store:
        outcomes = [store.add(statement) for statement in statements]
        if total is not None and abs(total) != abs(found := store.total_of(statements)):
            raise Problem(
                f"The lines of {options.place} add up to {found:f} US dollars (charges less"
                f" refunds), and the total given is {total:f}: nothing was loaded."
            )
    for outcome in outcomes:
        _tell(outcome)
    if any(outcome.new or outcome.differences for outcome in outcomes):
        print("next: dbt build --selector daily, which matches them.")
    else:
        print("Nothing new: nothing was changed.")


def _tell(outcome: Loaded) -> None:
    if outcome.was_loaded_as:
        print(f"{outcome.name} was loaded before, as {outcome.was_loaded_as}: nothing was done.")
        return
    print(
        f"{outcome.name}: {outcome.lines:,} lines, {outcome.total_usd:f} US dollars;"
        f" {outcome.new:,} new, {outcome.repeated:,} as an earlier file has them,"
        f" {len(outcome.differences):,} otherwise."
    )
    for difference in outcome.differences[:SHOWN]:
        print(f"  {difference}")
    if len(outcome.differences) > SHOWN:
        print(f"  and {len(outcome.differences) - SHOWN:,} more: rejected_rows has them all.")


def _forget(options: argparse.Namespace) -> None:
    with opened(options.schema) as store:
        known = store.names()
        gone = store.forget(options.forget)
    if not gone and known:
        raise Problem(
            f"No file {shown(options.forget)} was loaded, only {shown(', '.join(known), 200)}."
        )
    print(f"Forgot {', '.join(gone) or 'nothing, for nothing was loaded'}.")


def _total(text: str | None) -> Decimal | None:
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise Problem(
            f"The total is {shown(text)}, which is no number of US dollars such as 1234.56."
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m statement",
        description="Load the CSV files of the vendor's statement, each once, as the build role by"
        " libpq's variables (PGHOST, PGUSER, PGDATABASE, ...), else into the demo's database.",
    )
    parser.add_argument("place", nargs="?", type=Path, help="folder of .csv or .csv.gz files")
    parser.add_argument(
        "--total", help="the invoice's charges less refunds; other sums are refused"
    )
    parser.add_argument(
        "--forget", metavar="FILE", help="take a loaded file out: name, checksum or all"
    )
    add_schema(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
