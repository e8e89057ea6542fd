"""Values as text: without loss, and no text that a spreadsheet would take for a formula."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}")


def exact(value: Any) -> str:
    """A value without loss, for programs: of a file, or of the page's `data` elements."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list):
        return " ".join(exact(each) for each in value)
    return str(value)


def cell(value: Any) -> str:
    """A value without loss; text that a spreadsheet would compute gets an apostrophe before it."""
    return plain(value) if isinstance(value, str) else exact(value)


def plain(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would compute it."""
    if text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS):
        return "'" + text
    return text
