"""The marts of an app without a row, as the page's tests have them."""

from tests.dashboard.conftest import empty_marts

__all__ = ["empty_marts"]
