"""Macros of the dialect layer, value by value: a query of them all, and what engines answer."""

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from tests.app_database import PROJECT, AppDatabase, invoke, messages, parsed_project
from tests.dialect.quirks import BLANKS, FRACTIONS, IDS, NAMES
from tests.dialect.second_engine import (
    make_table,
    parsed_for_duckdb,
    target_of_duckdb,
)
from tests.security.planted import MODELS, MORE

Row = dict[str, Any]

TYPES = {
    "place": "bigint",
    "word": "text",
    "numerator": "numeric",
    "denominator": "numeric",
    "earlier": "timestamptz",
    "later": "timestamptz",
}
SQL = """
select
    place,
    {{ clean_name('word') }} as name,
    {{ clean_id_text('word') }} as id,
    {{ is_hidden_id('word') }} as is_hidden,
    {{ has_long_code('lower(word)') }} as has_long_code,
    {{ safe_divide('numerator', 'denominator') }} as quotient,
    cast({{ rounded('numerator', 6) }} as numeric(18, 6)) as rounded,
    {{ as_text('cast(' ~ rounded('numerator', 2) ~ ' as numeric(18, 2))') }} as as_text,
    {{ clean_cost('numerator') }} is null as is_no_cost,
    {{ seconds_between('earlier', 'later') }} as forward,
    {{ seconds_between('later', 'earlier') }} as backward,
    {{ unix_seconds('later') }} as unix_seconds,
    {{ in_reporting_timezone('later') }} as wall_clock,
    {{ from_reporting_timezone(in_reporting_timezone('later')) }} as moment,
    {{ start_of_day(reporting_date('later')) }} as start_of_day,
    {{ reporting_month('later') }} as month_start,
    {{ days_in_month(reporting_month('later')) }} as days,
    {{ dbt.last_day(reporting_month('later'), 'month') }} as last_day,
    {{ json_timestamp('later') }} as json_timestamp,
    later < {{ end_of_time() }} and {{ reporting_date('later') }} < {{ last_date() }} as is_before,
    {{ is_possible_time('later') }} as is_possible,
    cast(
        (
            select {{ percentile(0.5, 'cast(place * 0.001 as numeric(18, 3))') }}
            from public.quirks
            where place <= 1
        ) as numeric(18, 4)
    ) as median
from public.quirks
order by place
"""
# Both sides of each change of the clocks in Auckland, whose winter is the north's summer.
CLOCKS = [datetime(2024, 4, 6, 14, tzinfo=UTC), datetime(2024, 9, 28, 14, tzinfo=UTC)]
ZONE = "Pacific/Auckland"


def quirks() -> list[Row]:
    """Each text with each blank around it, each number and each moment, in one table."""
    around = ["", *BLANKS]
    words = [f"{blank}{word}{blank}" for word, blank in product([*NAMES, *IDS, ""], around)]
    words += [*MORE, *MODELS]
    numbers = [
        (Decimal(number) / 10**7, denominator)
        for number, denominator in product(
            [5, 15, 25, 1245, 2465, 1234565, 10000005, -5, 381234, 10**16 + 5],
            [1, 2, 3, 7, 8, 0, 2000],
        )
    ]
    moments = [
        (moment, moment + timedelta(minutes=minutes, microseconds=fraction))
        for moment, minutes, fraction in product(
            [*CLOCKS, datetime(1969, 12, 31, 23, tzinfo=UTC)],
            [-90, -61, -60, -30, 0, 29, 30, 59, 60, 61, 90, 40000],
            FRACTIONS,
        )
    ]
    count = max(len(words), len(numbers), len(moments))
    rows = zip(*(islice(cycle(each), count) for each in (words, numbers, moments)), strict=True)
    return [
        {
            "place": place,
            "word": word,
            "numerator": numerator,
            "denominator": Decimal(denominator),
            "earlier": earlier,
            "later": later,
        }
        for place, (word, (numerator, denominator), (earlier, later)) in enumerate(rows)
    ]


def values_of_postgres(database: AppDatabase) -> list[Row]:
    """What PostgreSQL answers, in the order of `quirks`."""
    columns = ", ".join(f"{name} {type_}" for name, type_ in TYPES.items())
    database.execute(f"create table public.quirks ({columns})")
    database.insert("public.quirks", *quirks())
    with patch.dict(os.environ, database.environment()):
        return database.query(_compiled(manifest=parsed_project()))


def values_of_duckdb(path: Path, project: Path = PROJECT) -> list[Row]:
    """What DuckDB answers, from a new database file."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema public")
        make_table(connection, "public.quirks", TYPES, quirks())
    options: dict[str, Any] = {"manifest": parsed_for_duckdb(), "target": target_of_duckdb()}
    if project != PROJECT:
        options = {"project": project, "target": project / "target"}
    with patch.dict(os.environ, DUCKDB_PATH=str(path)):
        query = _compiled("--target", "duckdb", **options)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _compiled(*arguments: str, **options: Any) -> str:
    variables = f"{{reporting_timezone: {ZONE}}}"
    result = invoke(["compile", "--inline", SQL, "--vars", variables, *arguments], **options)
    assert result.success, messages(result)
    return result.result.results[0].node.compiled_code
