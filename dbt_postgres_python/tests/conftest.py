"""Fixtures of the runtime's tests: paygen's servers, and a dbt project on them."""

from pathlib import Path

import pytest

from demo.server import Server
from tests.conftest import any_server, server

from dbt_project import DbtProject  # isort: skip

__all__ = ["any_server", "server"]


@pytest.fixture
def dbt_project(server: Server, tmp_path: Path) -> DbtProject:
    """An empty dbt project on the newest PostgreSQL."""
    return DbtProject.create(server, tmp_path)


@pytest.fixture
def any_dbt_project(any_server: Server, tmp_path: Path) -> DbtProject:
    """An empty dbt project on each PostgreSQL."""
    return DbtProject.create(any_server, tmp_path)
