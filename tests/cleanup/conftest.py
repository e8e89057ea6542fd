"""An app's database with a credit pool in it, and the operator who retires it."""

import pytest

from tests.app_database import AppDatabase
from tests.cleanup.operator import SETUP, Operator


@pytest.fixture
def operator(any_database: AppDatabase) -> Operator:
    """The operator on each PostgreSQL."""
    any_database.execute(SETUP)
    return Operator(any_database)
