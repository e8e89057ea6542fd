"""`make spark-publish`: PostgreSQL's tables become what Spark has, and no reader notices how."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pytest

from reader.problems import Problem
from spark_io import publish
from spark_io.project import answer_of
from tests.app_database import BUILD_ROLE, AppDatabase
from tests.dialect.second_engine import ARROW_TYPES
from tests.spark_io.conftest import asked

READER = "paygen_reader"
LONG = {"timestamptz": "timestamp with time zone"}
DRAWN = {
    "bigint": lambda random: random.choice([0, 1, 2**40]),
    "boolean": lambda random: random.random() < 0.5,
    "date": lambda random: date(2024, 1, 1) + timedelta(days=random.randrange(3)),
    "double precision": lambda random: random.choice([0.0, 0.1, 1e-9, -3.5]),
    "integer": lambda random: random.randrange(3),
    "jsonb": lambda random: json.dumps({"a": random.randrange(3), "b": "\u00fc"}),
    "numeric": lambda random: random.choice(
        [Decimal(each) for each in ("0", "100", "0.000000000001", "-12.5", "9" * 26)]
    ),
    "text": lambda random: random.choice(["", "a", 'a "b"\n\\', "\U0001f34c"]),
    "timestamptz": lambda random: datetime(2024, 1, random.randrange(1, 3), tzinfo=UTC),
}


def drawn(mart: dict[str, Any], random: Random, count: int) -> list[dict[str, Any]]:
    """Rows of the mart's contract; the first column numbers them where that is its key."""
    return [
        {
            column["name"]: (
                str(number)
                if column["name"] == "generation_id"
                else None
                if random.random() < 0.2
                else value_of(column["type"], random)
            )
            for column in mart["columns"]
        }
        for number in range(count)
    ]


def value_of(type_: str, random: Random) -> Any:
    """A value of a type of PostgreSQL's."""
    if type_.startswith("numeric("):
        _, scale = digits_of(type_)
        return Decimal(random.choice([0, 1, -125, 10**scale])).scaleb(-scale)
    return DRAWN[type_](random)


def digits_of(type_: str) -> tuple[int, int]:
    """The digits of a decimal, and those after the point."""
    precision, scale = type_.removeprefix("numeric(").removesuffix(")").split(",")
    return int(precision), int(scale)


def arrow_type(type_: str) -> pa.DataType:
    """As Spark writes it."""
    if type_.startswith("numeric("):
        return pa.decimal128(*digits_of(type_))
    return pa.string() if type_ == "jsonb" else ARROW_TYPES[type_]


def as_parquet(mart: dict[str, Any], rows: list[dict[str, Any]]) -> publish.Rows:
    """Rows as they are read from the files that Spark writes."""
    schema = pa.schema([(each["name"], arrow_type(each["type"])) for each in mart["columns"]])
    half = len(rows) // 2
    tables = (pa.Table.from_pylist(some, schema) for some in (rows[:half], rows[half:]) if some)
    return publish.Rows(len(rows), tables)


def in_postgres(app: AppDatabase, marts: list[dict[str, Any]]) -> dict[str, Counter[Any]]:
    """The rows of all marts as the page's role finds them."""
    return rows_of(
        {
            mart["name"]: app.query(f"select * from {mart['relation']}", user=READER)
            for mart in marts
        }
    )


def rows_of(marts: dict[str, list[dict[str, Any]]]) -> dict[str, Counter[Any]]:
    """Rows in no order, as they compare."""
    return {name: Counter(map(comparable, rows)) for name, rows in marts.items()}


def comparable(row: dict[str, Any]) -> tuple[Any, ...]:
    """A row whose JSON is what it says."""
    return tuple(
        json.dumps(json.loads(value) if isinstance(value, str) else value, sort_keys=True)
        if isinstance(value, dict) or (isinstance(value, str) and value.startswith("{"))
        else value
        for value in row.values()
    )


@pytest.fixture(scope="module")
def answer(app: AppDatabase) -> dict[str, Any]:
    """What dbt says of the marts."""
    result = asked(app, "marts_to_publish()", variables={"reader_roles": [READER]})
    answer = answer_of(result)
    for mart in answer["marts"]:
        for column in mart["columns"]:
            column["type"] = column["type"].removeprefix("pg_catalog.")
    return answer


@contextmanager
def publishing(app: AppDatabase, answer: dict[str, Any]) -> Iterator[Any]:
    """The transaction of a publish, as the role that builds."""
    with patch.dict(os.environ, app.environment()), publish.transaction(answer) as cursor:
        yield cursor


LEFT_OUT = ("cost_forecast", "usage_anomalies")


def publish_drawn(
    app: AppDatabase, answer: dict[str, Any], given: dict[str, list[dict[str, Any]]]
) -> None:
    """Have PostgreSQL hold some rows of the marts that Spark builds."""
    with publishing(app, answer) as cursor:
        replace(cursor, answer, given)


def replace(cursor: Any, answer: dict[str, Any], given: dict[str, list[dict[str, Any]]]) -> None:
    """The same, in a transaction that goes on."""
    rows = {
        mart["name"]: as_parquet(mart, given[mart["name"]])
        for mart in answer["marts"]
        if mart["name"] not in LEFT_OUT
    }
    publish.replace(cursor, answer, rows, lambda *_: None)


def draw(
    answer: dict[str, Any], seed: int, count: int, known: dict[str, list[dict[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """Rows of all marts, of which ten are known."""
    random = Random(seed)
    return {
        mart["name"]: []
        if mart["name"] in LEFT_OUT
        else [
            *known.get(mart["name"], [])[:10],
            *drawn(mart, random, count)[len(known.get(mart["name"], [])[:10]) :],
        ]
        for mart in answer["marts"]
    }


def test_tables_become_what_spark_has(app: AppDatabase, answer: dict[str, Any]) -> None:
    """Every mart, by its contract: readers have the old rows until the commit, views stay."""
    marts = answer["marts"]
    given = draw(answer, 1, 30, {})
    publish_drawn(app, answer, given)
    assert in_postgres(app, marts) == rows_of(given)
    app.execute("create view public.by_hand as select * from analytics.fct_generations")
    for seed, count in ((2, 31), (3, 3)):
        before, given = given, draw(answer, seed, count, given)
        with publishing(app, answer) as cursor:
            replace(cursor, answer, given)
            assert in_postgres(app, marts) == rows_of(before)
        assert in_postgres(app, marts) == rows_of(given)
    app.execute("drop view public.by_hand")
    types = app.query(
        "select relname as mart, attname as name, format_type(atttypid, atttypmod) as type,"
        " coalesce(col_description(attrelid, attnum), '') as description"
        " from pg_attribute inner join pg_class on pg_class.oid = attrelid"
        " where relnamespace = 'analytics'::regnamespace and attnum > 0 and relkind = 'r'"
        " order by relname, attnum"
    )
    contract = [
        {"mart": mart["name"], **column, "type": LONG.get(column["type"], column["type"])}
        for mart in sorted(marts, key=lambda mart: mart["name"])
        for column in mart["columns"]
    ]
    assert types == contract


def test_other_columns(app: AppDatabase, answer: dict[str, Any]) -> None:
    """A release gives a mart other columns: the table is made anew, and readers go on reading."""
    given = draw(answer, 4, 5, {})
    publish_drawn(app, answer, given)
    app.execute(
        "alter table analytics.monthly_cost drop column month_start;"
        " alter table analytics.fct_generations add column of_yesterday text"
    )
    publish_drawn(app, answer, given)
    assert in_postgres(app, answer["marts"]) == rows_of(given)
    indexes = app.query(
        "select indexdef from pg_indexes where tablename = 'fct_generations' order by indexname"
    )
    assert sum("UNIQUE" in index["indexdef"] for index in indexes) == 1
    assert len(indexes) == 4


def test_bad_input(app: AppDatabase, answer: dict[str, Any]) -> None:
    """One sentence each, and readers have what they had."""
    given = draw(answer, 5, 5, {})
    publish_drawn(app, answer, given)
    other = draw(answer, 6, 6, {})

    def refused(sentence: str, answer: dict[str, Any] = answer, user: str = BUILD_ROLE) -> None:
        environment = patch.dict(os.environ, app.environment(user))
        with (
            pytest.raises(Problem, match=sentence),
            environment,
            publish.transaction(answer) as cursor,
        ):
            replace(cursor, answer, other)
        assert in_postgres(app, answer["marts"]) == rows_of(given)

    with publishing(app, answer):
        refused("Another publish has not ended")
    refused("Role paygen_reader may not write to schema analytics", user=READER)
    result = app.dbt("run", "-s", "monthly_cost", expect_success=False)
    assert "holds marts that `make spark-publish` copies there" in str(result.exception)
    app.execute("comment on schema analytics is null")
    refused("has marts that dbt built in this database.*would be overwritten: publish into")
    app.execute(f"comment on schema analytics is '{answer['marker']}'")
    mart = next(each for each in answer["marts"] if each["name"] not in LEFT_OUT)
    lost = publish.Rows(5, as_parquet(mart, other[mart["name"]][:4]).tables)
    with (
        pytest.raises(Problem, match=r"4 rows of .* arrived, and Spark has 5"),
        publishing(app, answer) as cursor,
    ):
        publish.replace(cursor, answer, {mart["name"]: lost}, lambda *_: None)
    assert in_postgres(app, answer["marts"]) == rows_of(given)
