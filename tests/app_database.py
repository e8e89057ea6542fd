"""A real database with the app's tables in it, and dbt run against it."""

import gc
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg2
import psycopg2.extras
from dbt.adapters.base.impl import DEFAULT_BASE_BEHAVIOR_FLAGS
from dbt.cli.main import dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from local_postgres import databases
from local_postgres.databases import BUILD_ROLE, PROJECT
from local_postgres.dbt import run_dbt
from local_postgres.server import Server
from tests.quick_dbt import debug_events_unmade


@dataclass(frozen=True)
class AppDatabase:
    """One database of one server.

    `query`, `execute` and `connect` act as the server's superuser unless told another role;
    `dbt` always runs as the build role.
    """

    server: Server
    name: str

    @contextmanager
    def connect(self, user: str | None = None) -> Iterator[psycopg2.extensions.connection]:
        """Open an autocommit connection and close it at the end."""
        with databases.connect(self.server, self.name, user) as connection:
            yield connection

    def execute(self, sql: str, parameters: Any = None, user: str | None = None) -> None:
        """Run one or more statements."""
        with self.connect(user) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)

    def query(
        self, sql: str, parameters: Any = None, user: str | None = None
    ) -> list[dict[str, Any]]:
        """Answer the rows of one statement, each a dict by column name."""
        with (
            self.connect(user) as connection,
            connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor,
        ):
            cursor.execute(sql, parameters)
            return [dict(row) for row in cursor.fetchall()]

    def insert(self, table: str, *rows: Mapping[str, Any]) -> None:
        """Insert rows given as dicts; columns not named take their defaults."""
        with self.connect() as connection, connection.cursor() as cursor:
            for row in rows:
                names = ", ".join(f'"{name}"' for name in row)
                values = ", ".join(["%s"] * len(row))
                cursor.execute(
                    f"insert into {table} ({names}) values ({values})", list(row.values())
                )

    def dbt(
        self,
        *arguments: str,
        variables: Mapping[str, Any] | None = None,
        user: str = BUILD_ROLE,
        parse: bool = False,
        python_models: bool = False,
        reports: bool = False,
        unit_tests: bool = False,
        expect_success: bool = True,
        settings: Mapping[str, Any] | None = None,
    ) -> dbtRunnerResult:
        """Run one dbt command in this process as the build role.

        The project is parsed once and the parsed form shared, since variables are read when a model
        is compiled. `parse=True` parses anew, for what is fixed at parse time (`app_schema`, …).
        Python models, which take seconds each, are left out unless `python_models`, and marts that
        nothing else is made of unless either that or `reports`. `settings` are variables as users
        set them, in dbt_project.yml; `variables` are given by `--vars`.
        """
        os.environ.update(self.environment(user, unit_tests))
        command = [*arguments]
        if variables:
            command += ["--vars", psycopg2.extras.json.dumps(dict(variables))]
        if arguments[0] in ("build", "run") and not python_models and "--selector" not in arguments:
            command += ["--exclude", "tag:python", *([] if reports else ["tag:reports"])]
        result = invoke(
            command,
            manifest=None if parse else parsed_project(),
            project=project_with(settings) if settings else PROJECT,
        )
        if expect_success and not result.success:
            raise AssertionError(f"dbt {' '.join(arguments)} failed: {messages(result)}")
        return result

    def environment(self, user: str = BUILD_ROLE, unit_tests: bool = False) -> dict[str, str]:
        """libpq's variables for this database, as the build role."""
        return {
            **databases.environment(self.server, self.name, user),
            "PGPASSWORD": os.environ.get("PAYGEN_TEST_PASSWORD", ""),
            "DBT_TARGET": "prod",
            # They ask nothing of a database's rows: tests/units runs them, once.
            "DBT_EXCLUDE_RESOURCE_TYPES": "" if unit_tests else "unit_test",
        }


BEHAVIOR_FLAGS = tuple(DEFAULT_BASE_BEHAVIOR_FLAGS)


def invoke(
    command: Sequence[str],
    manifest: Manifest | None = None,
    callbacks: Sequence[Callable[[Any], None]] = (),
    project: Path | None = None,
    target: Path | None = None,
    debug: bool = False,
) -> dbtRunnerResult:
    """Run one dbt command in this process, the thousandth as quickly as the first.

    What it says is printed as dbt prints it, without the time of day. Events of the level `debug`
    reach `callbacks` only where that is asked for.
    """
    target = target or target_directory()
    # Each run appends to dbt's own list, and walks the stack for every flag that is in it.
    DEFAULT_BASE_BEHAVIOR_FLAGS[:] = BEHAVIOR_FLAGS
    # dbt's loggers word and colour every event before they drop it for its level.
    flags = ("--log-level-file", "none", "--no-write-json", "--no-send-anonymous-usage-stats")
    with nullcontext() if debug else debug_events_unmade():
        return run_dbt(
            [*command, *flags],
            project=project or PROJECT,
            profiles=profiles_directory(),
            target=target,
            logs=target / "logs",
            callbacks=[_say, *callbacks],
            manifest=manifest,
        )


def _say(event: Any) -> None:
    if event.info.level != "debug":
        print(event.info.msg)


def project_with(settings: Mapping[str, Any]) -> Path:
    """The project with variables set in its dbt_project.yml, the rest of it linked."""
    folder = Path(tempfile.mkdtemp(prefix="project-", dir=target_directory()))
    for name in ("macros", "models", "seeds", "tests", "analyses", "selectors.yml", ".dbtignore"):
        (folder / name).symlink_to(PROJECT / name)
    text = (PROJECT / "dbt_project.yml").read_text()
    for name, value in settings.items():
        line = f"  {name}: {psycopg2.extras.json.dumps(value)}"
        text, found = re.subn(rf"^  {name}: .*$", lambda _, line=line: line, text, flags=re.M)
        text = text if found else text.replace("\nvars:\n", f"\nvars:\n{line}\n")
    (folder / "dbt_project.yml").write_text(text)
    return folder


def messages(result: dbtRunnerResult) -> str:
    """What a dbt run said of its failures, in one text."""
    if result.exception:
        return str(result.exception)
    nodes = getattr(result.result, "results", None) or []
    bad = [node for node in nodes if node.status not in ("success", "pass", "warn", "skipped")]
    named = [(getattr(getattr(each, "node", None), "name", ""), each.message) for each in bad]
    return "\n".join(f"{name}: {message}" for name, message in named)


def database_name(purpose: str) -> str:
    """The name of a database of this test process."""
    return f"paygen_{purpose}_{_worker()}"


def _worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@cache
def target_directory() -> Path:
    """A target folder of its own for each test process."""
    return PROJECT / "target" / "pytest" / _worker()


@cache
def profiles_directory() -> Path:
    """A folder with the example profile as profiles.yml: the tests use the very file users copy."""
    folder = target_directory() / "profile"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "profiles.yml").write_text((PROJECT / "profiles.yml.example").read_text())
    return folder


@cache
def parsed_project() -> Manifest:
    """The project's manifest, parsed once in this process; it holds the database's name."""
    with patch.dict(os.environ, PGDATABASE=database_name("test")):
        result = invoke(["parse"])
    if not result.success:
        raise AssertionError(f"dbt parse failed: {result.exception}")
    # It stays to the end: what collects garbage need not walk it again in every run.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    return result.result
