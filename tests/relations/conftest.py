"""The app with a past that tests of scheduled runs use, and a BI tool's role."""

import pytest

from tests.app_database import AppDatabase
from tests.incremental.conftest import built

__all__ = ["built"]

READER = "relations_reader"


@pytest.fixture(scope="module")
def reader(built: AppDatabase) -> str:
    """A role that may log in and make things of its own in the schema `bi`, and nothing else."""
    built.execute(
        f"""do $$ begin create role {READER} login;
            exception when duplicate_object then null; end $$;
            create schema bi authorization {READER}"""
    )
    return READER
