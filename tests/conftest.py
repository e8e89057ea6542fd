"""Fixtures: real PostgreSQL servers and databases with the app's tables."""

import os

# Its threads would spin for cores that other test processes have; set before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from local_postgres import server as embedded
from local_postgres.databases import create_app_database
from tests.app_database import BUILD_ROLE, AppDatabase, database_name

# Read before a test points libpq elsewhere.
LOCAL_SERVER = {name: os.environ.get(name) for name in ("PGHOST", "PGPORT", "PGUSER")}
SERVERS = ["18", "16", *(["local"] if LOCAL_SERVER["PGHOST"] else [])]


# The first test of these files takes 15 seconds to a minute on each server.
ON_ONE_SERVER = (
    "marts/test_sample.py",
    "relations/test_app_tables.py",
    "relations/test_others.py",
    "security/test_closed_schemas.py",
    "security/test_strangers.py",
    "security/test_trust.py",
    "app/test_stats.py",
)
# Each case builds a database, or takes a clean-up through its steps: how many of a test the gate
# runs.
CASES = {
    "app/test_stats.py": 2,
    "cleanup/": 4,
    "config/test_variables.py": 3,
    "dashboard/test_figures.py": 2,
    "incremental/test_interrupted_runs.py": 2,
    "marts/test_periods.py": 2,
    "shapes/test_column_shapes.py": 6,
}


# Files that take a minute come first, so that no worker is left with one at the end.
DEAR_FOLDERS = ("setup/", "incremental/", "relations/", "dashboard/")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Choose what the gate runs; all else is run by `make test-long`.

    A file's first test runs on PostgreSQL 16 too; of a test with many dear cases a few run.
    """
    seen: Counter[object] = Counter()
    for item in items:
        case = getattr(item, "callspec", None)
        on_16 = bool(case) and case.params.get("any_server") == "16"
        name = item.nodeid.removeprefix("tests/")
        kind = (item.path, "on 16" if on_16 else item.originalname)
        most = next((CASES[place] for place in CASES if name.startswith(place)), len(items))
        seen[kind] += item.get_closest_marker("long") is None
        if (on_16 and (seen[kind] > 1 or name.startswith(ON_ONE_SERVER))) or seen[kind] > most:
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: not item.nodeid.removeprefix("tests/").startswith(DEAR_FOLDERS))


class _OneWorkerForThePage(LoadScopeScheduling):
    """The page's files go to one worker, so that the history they read is built once."""

    def _split_scope(self, nodeid: str) -> str:
        folder = "tests/dashboard/"
        return folder if nodeid.startswith(folder) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Hand out files, by `--dist loadscope`."""
    by_file = config.getoption("dist") == "loadscope"
    return _OneWorkerForThePage(config, log) if by_file else None


@contextmanager
def _running(which: str) -> Iterator[embedded.Server]:
    if which == "local":
        yield embedded.Server(
            LOCAL_SERVER["PGHOST"],
            int(LOCAL_SERVER["PGPORT"] or 5432),
            LOCAL_SERVER["PGUSER"] or "postgres",
            0,
        )
        return
    folder = Path(tempfile.mkdtemp(prefix=f"paygen-{which}-"))
    try:
        yield embedded.start(folder / "server", int(which))
    finally:
        embedded.stop(folder / "server")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server_of() -> Iterator[Callable[[str], embedded.Server]]:
    """Starts the server of a version when it is first asked for, and stops all of them at the end.

    Modules change between versions all the time; a server each time would be seconds each time.
    """
    with ExitStack() as running:
        yield cache(lambda which: running.enter_context(_running(which)))


@pytest.fixture(scope="session", params=SERVERS)
def any_server(
    request: pytest.FixtureRequest, server_of: Callable[[str], embedded.Server]
) -> embedded.Server:
    """Every PostgreSQL to be had, one after another: for what may differ between versions."""
    return server_of(request.param)


@pytest.fixture(scope="session")
def server() -> Iterator[embedded.Server]:
    """The newest PostgreSQL: for what no version decides."""
    with _running("18") as server:
        yield server


def make_database(server: embedded.Server, purpose: str = "test") -> AppDatabase:
    """Create an app's database, empty, with the roles and grants of production.

    One of the same purpose is replaced: a test that keeps its database longer names another.
    """
    name = database_name(purpose)
    create_app_database(server, name)
    return AppDatabase(server, name)


@pytest.fixture
def database(server: embedded.Server) -> AppDatabase:
    """An app's database on the newest PostgreSQL, its tables empty."""
    return make_database(server)


@pytest.fixture
def any_database(any_server: embedded.Server) -> AppDatabase:
    """An app's database on each PostgreSQL, its tables empty."""
    return make_database(any_server)


__all__ = ["BUILD_ROLE"]
