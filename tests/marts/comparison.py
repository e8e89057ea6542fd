"""Marts built by dbt against the answers of the oracle, row by row."""

from collections import Counter
from typing import Any

from tests.app_database import AppDatabase

Row = dict[str, Any]


def assert_marts_equal(database: AppDatabase, answers: dict[str, list[Row]]) -> None:
    """Compare every mart and column that the oracle answers; raise with the first differences."""
    differences = [
        difference
        for mart, expected in answers.items()
        if (difference := _difference(database, mart, expected))
    ]
    assert not differences, "\n\n".join(differences)


def _difference(database: AppDatabase, mart: str, expected: list[Row]) -> str:
    columns = list(expected[0]) if expected else ["1 as any_row"]
    found = database.query(f"select {', '.join(columns)} from analytics.{mart}")
    in_mart, in_oracle = (Counter(map(_frozen, rows)) for rows in (found, expected))
    extra, missing = in_mart - in_oracle, in_oracle - in_mart
    lines = [f"only in the mart:   {dict(row)}" for row in _some(extra)]
    lines += [f"only in the oracle: {dict(row)}" for row in _some(missing)]
    if not lines:
        return ""
    heading = f"{mart}: {extra.total()} rows of the mart and {missing.total()} of the oracle differ"
    return "\n".join([heading, *lines])


def _frozen(row: Row) -> tuple:
    return tuple(row.items())


def _some(rows: Counter) -> list[tuple]:
    return sorted(rows.elements(), key=str)[:6]
