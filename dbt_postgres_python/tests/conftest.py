"""Fixtures of the runtime's tests: paygen's servers."""

from tests.conftest import any_server, server

__all__ = ["any_server", "server"]
