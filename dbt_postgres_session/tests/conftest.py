"""Fixtures of the package's tests: real servers, and a small dbt project on them."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from session_servers import Server, running

from small_project import SmallProject  # isort: skip

# Read before a test points libpq elsewhere.
LOCAL_SERVER = {name: os.environ.get(name) for name in ("PGHOST", "PGPORT", "PGUSER")}
SERVERS = ["18", "16", *(["local"] if LOCAL_SERVER["PGHOST"] else [])]


@pytest.fixture(scope="session")
def server_of() -> Iterator[Callable[[str], Server]]:
    """Starts the server of a version when it is first asked for; stops all of them at the end."""
    with ExitStack() as started:
        yield cache(lambda version: started.enter_context(running(int(version))))


@pytest.fixture(scope="session", params=SERVERS)
def any_server(request: pytest.FixtureRequest, server_of: Callable[[str], Server]) -> Server:
    """Every PostgreSQL to be had, one after another: for what may differ between versions."""
    if request.param == "local":
        port, user = LOCAL_SERVER["PGPORT"] or 5432, LOCAL_SERVER["PGUSER"] or "postgres"
        return Server(LOCAL_SERVER["PGHOST"], int(port), user)
    return server_of(request.param)


@pytest.fixture(scope="session")
def server(server_of: Callable[[str], Server]) -> Server:
    """The newest PostgreSQL: for what no version decides."""
    return server_of("18")


@pytest.fixture
def project(server: Server, tmp_path: Path) -> SmallProject:
    """A small dbt project on the newest PostgreSQL."""
    return SmallProject.create(server, tmp_path)


@pytest.fixture
def any_project(any_server: Server, tmp_path: Path) -> SmallProject:
    """A small dbt project on each PostgreSQL."""
    return SmallProject.create(any_server, tmp_path)
