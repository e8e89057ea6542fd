"""Fixtures of the runtime's tests: paygen's servers, and a dbt project on them."""

from pathlib import Path

import pytest
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt.adapters.postgres.impl import PostgresAdapter
from dbt_postgres_session.plugin import register

from demo.server import Server
from tests.conftest import any_server, server, server_of

from dbt_project import DbtProject  # isort: skip

__all__ = ["any_server", "server", "server_of"]


@pytest.fixture(autouse=True)
def sessions_as_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections as dbt-postgres alone opens them: this package is of use without the other."""
    register(PostgresAdapter, PostgresConnectionManager)
    opened = PostgresConnectionManager.__dict__["open"].__func__.__wrapped__
    monkeypatch.setattr(PostgresConnectionManager, "open", classmethod(opened))


@pytest.fixture
def dbt_project(server: Server, tmp_path: Path) -> DbtProject:
    """An empty dbt project on the newest PostgreSQL."""
    return DbtProject.create(server, tmp_path)


@pytest.fixture
def any_dbt_project(any_server: Server, tmp_path: Path) -> DbtProject:
    """An empty dbt project on each PostgreSQL."""
    return DbtProject.create(any_server, tmp_path)
