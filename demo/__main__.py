"""`python -m demo`: the app's database, the marts and the panel, on this machine alone."""

import argparse
import shlex
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from demo import csv_folder, panel
from demo.build import build
from demo.generator import History, generate
from local_postgres import databases, server
from local_postgres.databases import BUILD_ROLE, PROJECT, READER_ROLE

DATA_DIRECTORY = PROJECT / ".demo" / "server"

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answer the exit code: 0, or 1 after a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (ValueError, RuntimeError, OSError, psycopg2.Error) as error:
        Console(stderr=True).print(str(error).strip(), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; run it again to start afresh")
        return 130
    return 0


def run(options: argparse.Namespace) -> None:
    """Start the server, load the app's tables, build the marts and show the panel."""
    database = _start()
    as_of = _load(database, options)
    profile = PROJECT / "profiles.yml"
    if not profile.exists():
        shutil.copyfile(PROJECT / "profiles.yml.example", profile)
        console.print("profiles.yml made from profiles.yml.example")
    with _progress() as progress:
        build(database, as_of, progress)
    show(options)


def load(options: argparse.Namespace) -> None:
    """Start the server and load the app's tables, no more."""
    database = _start()
    as_of = _load(database, options)
    console.print(f"loaded; as_of is {as_of.isoformat()}. Next: the marts, with `make demo`.")


def show(options: argparse.Namespace) -> None:
    """Show the panel of the marts that were built last."""
    database = _start()
    try:
        with databases.connect(database, databases.NAME, BUILD_ROLE) as connection:
            numbers = panel.read(connection)
    except (psycopg2.errors.UndefinedTable, psycopg2.OperationalError) as error:
        raise RuntimeError(f"no marts to show yet, run `make demo`: {error}") from error
    console.print(panel.render(numbers))
    psql = shlex.quote(str(server.binaries(database.version) / "psql"))
    host = shlex.quote(database.host)
    where = f"PGHOST={host} PGPORT={database.port} PGUSER={BUILD_ROLE} PGDATABASE={databases.NAME}"
    console.print("[bold]Next[/bold]", "  ask your own questions:", sep="\n")
    # Not wrapped: these lines are for copying.
    console.print(f"    {where} {psql}", soft_wrap=True, highlight=False)
    console.print("  look at the tables analytics.*, or build again:")
    console.print(
        f"    {where} .tools/bin/uv run --frozen dbt build"
        f" --vars '{{reader_roles: [{READER_ROLE}]}}'",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
    console.print("  see all of it in a browser: make dashboard")
    console.print("  load your own: make demo FROM_CSV=folder    stop the server: make demo-stop")


def stop(options: argparse.Namespace) -> None:
    """Stop the server; its data stay."""
    stopped = server.stop(DATA_DIRECTORY)
    console.print("server stopped; `make demo` starts it again" if stopped else "no server runs")


def environment(options: argparse.Namespace) -> None:
    """Start the server and print libpq's variables for the role that reads the marts."""
    if not (DATA_DIRECTORY / "PG_VERSION").exists():
        raise RuntimeError("There is no demo yet: run `make demo`.")
    database = server.start(DATA_DIRECTORY)
    for name, value in databases.environment(database, user=READER_ROLE).items():
        print(f"{name}={value}")


def _start() -> server.Server:
    with console.status("starting PostgreSQL"):
        return server.start(DATA_DIRECTORY)


def _load(database: server.Server, options: argparse.Namespace) -> datetime:
    if options.from_csv:
        files = csv_folder.find_files(options.from_csv)
        with databases.new_database(database) as connection, _progress() as progress:
            connection.autocommit = False
            with connection, connection.cursor() as cursor:
                return csv_folder.load(
                    cursor,
                    files,
                    lambda raw, path: progress.wrap_file(
                        raw, total=path.stat().st_size, description=f"loading {path.name} (bytes)"
                    ),
                )
    history = History(options.as_of, options.generations, options.months, options.seed)
    with databases.new_database(database) as connection, _progress() as progress:
        task = progress.add_task("drawing generations", total=history.generations)
        generate(connection, history, lambda done: progress.update(task, completed=done))
    return history.as_of


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _timestamp(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO timestamp") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--generations", type=_positive, default=20_000, help="exact number of generations (20000)"
    )
    data.add_argument("--months", type=_positive, default=6, help="calendar months of history (6)")
    data.add_argument("--seed", type=int, default=1, help="equal seeds draw equal rows (1)")
    data.add_argument(
        "--as-of",
        type=_timestamp,
        default=datetime.now(UTC).replace(second=0, microsecond=0),
        help="end of the history, ISO, UTC unless it says otherwise (this minute)",
    )
    data.add_argument(
        "--from-csv",
        type=Path,
        metavar="DIR",
        help="load <table>.csv or .csv.gz from this folder instead of generating",
    )
    for command, parents in (
        (run, [data]),
        (load, [data]),
        (show, []),
        (environment, []),
        (stop, []),
    ):
        commands.add_parser(
            command.__name__, help=command.__doc__, description=command.__doc__, parents=parents
        ).set_defaults(command=command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
