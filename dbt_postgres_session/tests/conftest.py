"""Fixtures of the package's tests: real servers, and a small dbt project on them."""

from pathlib import Path

import pytest

from demo.server import Server
from tests.conftest import any_server, server, server_of

from small_project import SmallProject  # isort: skip

__all__ = ["any_server", "server", "server_of"]


@pytest.fixture
def project(server: Server, tmp_path: Path) -> SmallProject:
    """A small dbt project on the newest PostgreSQL."""
    return SmallProject.create(server, tmp_path)


@pytest.fixture
def any_project(any_server: Server, tmp_path: Path) -> SmallProject:
    """A small dbt project on each PostgreSQL."""
    return SmallProject.create(any_server, tmp_path)
