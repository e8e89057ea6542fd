"""The app's tables copied by the command, and read back by another engine."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from dbt.cli.main import dbtRunnerResult

from local_postgres.server import Server
from spark_io.__main__ import main
from spark_io.project import answer_of
from spark_io.store import Snapshot, Store
from tests.app_database import BUILD_ROLE, AppDatabase, parsed_project
from tests.conftest import make_database
from tests.table_shapes import loosen

Row = tuple[Any, ...]


def asked(database: AppDatabase, call: str, **options: Any) -> dbtRunnerResult:
    """What dbt answers to a call of a macro; its node does not stay in the project's manifest."""
    result = database.dbt(
        "compile", "--inline", f"{{{{ {call} }}}}", expect_success=False, **options
    )
    nodes = parsed_project().nodes
    for unique_id in [each for each in nodes if each.startswith("sql_operation.")]:
        del nodes[unique_id]
    return result


@pytest.fixture(scope="module")
def app(server: Server) -> AppDatabase:
    """A database whose app's tables take every defect."""
    database = make_database(server)
    loosen(database)
    return database


@pytest.fixture(scope="module")
def answers() -> dict[tuple[str, ...], Any]:
    """What dbt has answered: the app's tables stay of one form."""
    return {}


@pytest.fixture
def command(
    app: AppDatabase, answers: dict[tuple[str, ...], Any], capsys: pytest.CaptureFixture[str]
) -> Callable[..., Any]:
    """`python -m spark_io` as the role that builds: its exit code, and all that it says."""

    def command(
        *arguments: str | Path, user: str = BUILD_ROLE, fresh: bool = False, **environment: str
    ) -> tuple[int, str]:
        def ask(call: str) -> Any:
            if fresh or (user, call) not in answers:
                result = asked(app, call, user=user)
                capsys.readouterr()
                answers[user, call] = answer_of(result)
            return answers[user, call]

        with patch.dict(os.environ, {"SPARK_HOST": "", **app.environment(user), **environment}):
            code = main([str(each) for each in arguments], ask)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return command


def newest(folder: Path) -> Snapshot:
    """The snapshot that a folder has."""
    return Store(str(folder)).snapshots()[-1]


def read_back(folder: Path, table: str) -> Counter[Row]:
    """The rows of a table of the newest snapshot, as DuckDB reads its files."""
    columns = newest(folder).tables[table].columns
    places = [
        f"{folder}/{table}/{part.name}-{part.digest}/*.parquet"
        for part in newest(folder).tables[table].parts
    ]
    if not places:
        return Counter()
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        names = ", ".join(f'"{name}"' for name in columns)
        return Counter(
            connection.execute(
                f"select {names} from read_parquet($1, hive_partitioning = false)", [places]
            ).fetchall()
        )
