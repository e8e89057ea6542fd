"""`python -m inspect_app.panel`: the panel over one's own database, built where it is not yet."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import psycopg2
import yaml
from psycopg2 import errors
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from demo import panel
from inspect_app import database, dry_run
from inspect_app.problems import Problem
from inspect_app.proposal import LACKS, ROLES
from local_postgres.dbt import run_dbt
from reader import problems

MISSING = (errors.UndefinedTable, errors.InvalidSchemaName)
SCHEMA = "analytics"
OTHER_SETTINGS = "run once with --full-refresh"

console = Console(highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the panel; answer the exit code: 0, or 1 after a sentence on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m inspect_app.panel",
        description="Show the administrator's numbers of the database that libpq's variables"
        " (PGHOST, PGUSER, PGDATABASE, ...) or DATABASE_URL name. Where nothing was built yet, the"
        " marts are built first.",
    )
    parser.add_argument("--build", action="store_true", help="build the marts in any case")
    options = parser.parse_args(arguments)
    try:
        database.find()
        numbers = None if options.build else _read()
        if numbers is None:
            _build()
            numbers = _read()
        if numbers is None:
            raise Problem(f"The marts were built, but not into the schema {SCHEMA}.")
    except Problem as problem:
        Console(stderr=True, highlight=False).print(str(problem), markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; run it again")
        return 130
    missing = _missing()
    console.print(panel.render(numbers, "WaveSpeed" if missing is None else "Vendor"))
    for role in missing or ():
        console.print(f"No {ROLES[role]}: {LACKS[role]}.", style="yellow", soft_wrap=True)
    console.print(
        "[bold]Next[/bold]: build again with `make panel BUILD=1`, or on a schedule (README)."
    )
    return 0


def _missing() -> list[str] | None:
    """The tables that the mapping says the app has not; None without a mapping."""
    path = dry_run.PROJECT / "mapping" / "app.yml"
    if not path.exists():
        return None
    [source] = yaml.safe_load(path.read_text())["sources"]
    return [
        table["name"]
        for table in source.get("tables", [])
        if (table.get("meta") or {}).get("missing") and table["name"] in LACKS
    ]


def _read() -> panel.Numbers | None:
    """The panel's numbers; None where there are no marts."""
    with database.connected("paygen panel") as connection:
        try:
            connection.set_session("REPEATABLE READ", readonly=True)
            with connection.cursor() as cursor:
                cursor.execute(database.SETTINGS)
            return panel.read(connection)
        except MISSING:
            return None
        except psycopg2.Error as error:
            problem = problems.of_marts(error, ("dashboard_overview",), SCHEMA)
            raise Problem(str(problem or problems.of_server(error))) from error


def _build() -> None:
    """Build all marts, without the tests, which a scheduled run has.

    History that was built with another mapping is built anew.
    """
    profile = dry_run.PROJECT / "profiles.yml"
    if not profile.exists():
        shutil.copyfile(dry_run.PROJECT / "profiles.yml.example", profile)
        console.print("profiles.yml made from profiles.yml.example")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("dbt build", total=None)

        def advance(event: Any) -> None:
            total = getattr(event.data, "total", 0)
            name = event.info.name
            if total and name.startswith("Log") and name.endswith("Result"):
                progress.update(task, total=total, advance=1)

        command = [
            *("build", "--target", "prod"),
            *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
        ]
        for more in ([], ["--full-refresh"]):
            result = run_dbt(
                command + more,
                dry_run.PROJECT,
                dry_run.PROJECT,
                dry_run.PROJECT / "target",
                dry_run.PROJECT / "logs",
                [advance],
            )
            if result.success or OTHER_SETTINGS not in dry_run.failure(result):
                break
            progress.update(task, description="dbt build, all of history", completed=0)
    if not result.success:
        raise Problem(
            f"{dry_run.failure(result)} If the app's tables have other names, `make inspect` writes"
            " the mapping."
        )


if __name__ == "__main__":
    sys.exit(main())
