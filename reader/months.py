"""Months as people name them."""

import re
from datetime import date

from reader.problems import BadRequest, shown

FORM = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def read_month(text: str) -> date:
    """The first day of a month that is written as YYYY-MM.

    Raises:
        BadRequest: it is written otherwise, or there is no such month.
    """
    if not FORM.fullmatch(text):
        raise BadRequest(f"month is '{shown(text)}': write it as YYYY-MM, as in 2026-11.")
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise BadRequest(f"month is '{shown(text)}': there is no such month.") from error
