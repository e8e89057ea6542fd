"""A database whose marts are built once, without a statement, and the command that loads one."""

import os
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from local_postgres.server import Server
from statement.__main__ import main
from tests.app_database import AppDatabase
from tests.conftest import make_database
from tests.oracle.statement import Rules
from tests.statement.drawn import START, History, draw, load_app

RULES = Rules(zone="Europe/Berlin")
VARIABLES = {
    "as_of": START.replace(month=7, day=1).isoformat(),
    "reporting_timezone": RULES.zone,
}
MATCHED = ["int_vendor_lines", "generation_match", "monthly_vendor_reconciliation", "vendor_claims"]
# A run needs all that its predecessors keep.
KEPT = [
    "int_statement_files", "int_balances", "int_users_by_first_month", "int_usage_by_user_month",
    "int_usage_by_month", "rejected_rows",
]  # fmt: skip

Load = Callable[..., tuple[int, str]]


def run(
    database: AppDatabase, *options: str, models: list[str] | None = None, **variables: str
) -> None:
    """One nightly run of what the statement's marts are made of, or of some models."""
    models = models or [f"+{name}" for name in (*MATCHED, *KEPT)]
    database.dbt(
        "run", "--select", *models, *options, variables=VARIABLES | variables, reports=True
    )


@pytest.fixture(scope="module")
def built(server: Server) -> tuple[AppDatabase, History]:
    """Marts of 300 calls, and the statement that is drawn for them, which is not loaded."""
    database, history = make_database(server), draw(1, 300)
    load_app(database, history)
    database.dbt("seed")
    run(database)
    return database, history


@pytest.fixture
def load(built: tuple[AppDatabase, History], capsys: pytest.CaptureFixture[str]) -> Load:
    """`python -m statement` as the role that builds: its exit code, and all that it says."""
    database, _ = built

    def load(*arguments: str | Path, of: AppDatabase = database) -> tuple[int, str]:
        capsys.readouterr()
        with patch.dict(os.environ, of.environment()):
            code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return load
