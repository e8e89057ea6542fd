"""A database with marts for exports to read, built once."""

from pathlib import Path

import pytest

from export.__main__ import main
from local_postgres import server as embedded
from tests.app_database import AppDatabase
from tests.closing.record import operate
from tests.conftest import make_database
from tests.dashboard.databases import bill, build, keep_as, load_demo
from tests.dashboard.serving import environment
from tests.export.exporting import Export, Result


@pytest.fixture(scope="session")
def exported_database(server: embedded.Server) -> AppDatabase:
    """The demo's history, smaller, with its marts; what a test changes, it puts back."""
    database = make_database(server)
    load_demo(database, 1, generations=600)
    bill(database)
    build(database, python_models=True)
    operate(database, "close_month", month="2024-11", by="Ann Example")
    # As a run writes it where a row came late.
    database.execute(
        """insert into analytics.monthly_restatements
           select month_start, is_all_providers, provider, figure, value, value + 1, 1, 'late_rows',
               1, 'a-late-row', entry_number
           from analytics.closed_figures where figure = 'generations' and is_all_providers"""
    )
    return keep_as(database, "export")


@pytest.fixture
def export(
    exported_database: AppDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Export:
    """Export as the reader role: the answer, which never is a traceback."""
    for name, value in environment(exported_database).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str | Path) -> Result:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        result = Result(code, captured.out, captured.err.strip())
        assert "Traceback" not in result.said
        return result

    return run
