"""Fixtures: real PostgreSQL servers, and a dbt project on them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt.adapters.postgres.impl import PostgresAdapter
from dbt_postgres_session.plugin import register
from servers import Server, running

from dbt_project import DbtProject  # isort: skip


@pytest.fixture(scope="session")
def server_of() -> Iterator[Callable[[int], Server]]:
    """Starts the server of a version when it is first asked for; stops all of them at the end."""
    with ExitStack() as started:
        yield cache(lambda version: started.enter_context(running(version)))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's first test on PostgreSQL 16 is in the gate; the others are run as long ones."""
    seen = set()
    for item in items:
        case = getattr(item, "callspec", None)
        if case and case.params.get("any_server") == 16:
            if item.path in seen:
                item.add_marker(pytest.mark.long)
            seen.add(item.path)


@pytest.fixture(scope="session", params=[18, 16])
def any_server(request: pytest.FixtureRequest, server_of: Callable[[int], Server]) -> Server:
    """Every PostgreSQL to be had: for what may differ between versions."""
    return server_of(request.param)


@pytest.fixture(scope="session")
def server(server_of: Callable[[int], Server]) -> Server:
    """The newest PostgreSQL: for what no version decides."""
    return server_of(18)


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
