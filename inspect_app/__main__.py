"""`python -m inspect_app`: propose the mapping of an app's database, write it and try it."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from inspect_app import database, dry_run, mapping_file, recognise, report
from inspect_app.problems import Problem
from inspect_app.proposal import BALANCES, LEDGER, ROLES, TASKS, Proposal

FILE = dry_run.PROJECT / "mapping" / "app.yml"
# As the models call it, which a try gives whichever file there is.
NAME = "mapping/app.yml"
DONE, FAILED, INTERRUPTED = 0, 1, 130

console = Console(highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Inspect a database; answer the exit code: 0, or 1 after a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        database.find()
        if options.check:
            if not options.to.exists():
                raise Problem(f"There is no {options.to} to try: write one with `make inspect`.")
            _try(options.to)
            return DONE
        _inspect(options)
    except Problem as problem:
        Console(stderr=True, highlight=False).print(str(problem), markup=False, soft_wrap=True)
        return FAILED
    except KeyboardInterrupt:
        Console(stderr=True).print("The inspection was interrupted.")
        return INTERRUPTED
    return DONE


def _inspect(options: argparse.Namespace) -> None:
    if not options.dry_run:
        mapping_file.refuse_existing(options.to, options.force)
    may_ask = sys.stdin.isatty() and not options.yes
    given = {LEDGER: options.ledger, TASKS: options.tasks, BALANCES: options.balances}
    choices = {role: table for role, table in given.items() if table}
    try:
        proposal = _propose(choices)
    except recognise.Undecided as undecided:
        if not may_ask:
            raise Problem(undecided.sentence) from undecided
        choices[undecided.role] = _choose(undecided)
        may_ask = False
        try:
            proposal = _propose(choices)
        except recognise.Undecided as second:
            raise Problem(second.sentence) from second
    console.print(report.render(proposal))
    console.print()
    if options.dry_run:
        console.print("Nothing was written.")
        return
    if may_ask and not _agreed(options.to):
        console.print("Nothing was written.")
        return
    mapping_file.write(options.to, mapping_file.text(proposal))
    console.print(f"[bold]{options.to}[/bold] is written.", soft_wrap=True)
    if not options.no_build:
        _try(options.to)


def _propose(choices: dict[str, str]) -> Proposal:
    with console.status("connecting") as status, database.reading() as cursor:
        return recognise.propose(cursor, choices, lambda doing: status.update(doing))


def _choose(undecided: recognise.Undecided) -> str:
    labels = [table.label for table in undecided.tables]
    console.print(f"Which is the {ROLES[undecided.role]}?")
    for number, label in enumerate(labels, 1):
        console.print(f"  {number}  {label}", markup=False)
    answer = console.input(f"Number [1-{len(labels)}]: ").strip()
    if not answer.isdigit() or not 1 <= int(answer) <= len(labels):
        raise Problem(undecided.sentence)
    return labels[int(answer) - 1]


def _agreed(path: Path) -> bool:
    answer = console.input(rf"Write {path} and try it? \[Y/n] ").strip().lower()
    return answer in ("", "y", "yes")


def _try(mapping: Path) -> None:
    """Build with the mapping in schemas of its own, and say what came out."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("trying the mapping", total=None)

        def advance(doing: str, done: int, total: int) -> None:
            progress.update(
                task,
                description=f"trying the mapping: {doing}",
                completed=done,
                total=total or None,
            )

        try:
            figures = dry_run.run(mapping, advance)
        except dry_run.NotTried as problem:
            console.print(f"It was not tried. {problem}", markup=False, soft_wrap=True)
            return
        except Problem as problem:
            said = str(problem) if mapping == FILE else str(problem).replace(NAME, str(mapping))
            raise Problem(f"{mapping} does not work yet. {said}") from problem
    console.print("[bold]Tried[/bold], in schemas that are dropped again:")
    for line in dry_run.lines(figures):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    dry_run.check(figures)
    for hint in dry_run.hints(figures):
        console.print(f"  {hint}", markup=False, soft_wrap=True, style="yellow")
    console.print("[bold]Next[/bold]: `make panel` builds the marts and shows the figures.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inspect_app",
        description="Look at an app's database, by libpq's variables (PGHOST, PGUSER, PGDATABASE,"
        " ...) or DATABASE_URL, in one read-only transaction; propose a mapping of its tables and"
        " columns, write it, and try it in schemas that are dropped again.",
        epilog=f"Exit code: {DONE} if it was written and works, else {FAILED}, and a sentence says"
        " why. Of the data it prints and writes only words such as kinds, statuses, models, types"
        " and tiers.",
    )
    parser.add_argument(
        "--to", type=Path, default=FILE, metavar="FILE", help="the file (mapping/app.yml)"
    )
    parser.add_argument("--force", action="store_true", help="overwrite the file if it exists")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--dry-run", action="store_true", help="print the proposal; write and build nothing"
    )
    parser.add_argument("--no-build", action="store_true", help="write the file, but do not try it")
    parser.add_argument(
        "--check", action="store_true", help="try the mapping that is there; inspect nothing"
    )
    for option, what in (
        ("--ledger", "ledger of credits"),
        ("--tasks", "table of generations"),
        ("--balances", "table of balances"),
    ):
        parser.add_argument(
            option, metavar="TABLE", help=f"the {what}, as in public.name, or `none`"
        )
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
