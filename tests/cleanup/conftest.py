"""An app's database with a credit pool in it, and the operator who retires it."""

import pytest

from tests.app_database import AppDatabase
from tests.cleanup.operator import SETUP, Operator


@pytest.fixture
def operator(database: AppDatabase) -> Operator:
    """The operator on the newest PostgreSQL."""
    database.execute(SETUP)
    return Operator(database)


@pytest.fixture
def any_operator(any_database: AppDatabase) -> Operator:
    """The operator on each PostgreSQL: for what may differ between versions."""
    any_database.execute(SETUP)
    return Operator(any_database)
