"""An app's history of four months, built with what nightly runs make."""

import pytest

from local_postgres.server import Server
from tests.app_database import AppDatabase
from tests.conftest import make_database
from tests.dashboard.databases import build, load_demo


@pytest.fixture(scope="module")
def built(server: Server) -> AppDatabase:
    """The demo's history as of 4 December 2024, smaller; none of its months is closed."""
    database = make_database(server)
    load_demo(database, 1, generations=400)
    return build(database, reports=True)
