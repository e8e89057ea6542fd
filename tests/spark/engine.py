"""The SQL models built on Apache Spark, and what it answers."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet
from dbt.cli.main import dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from local_spark.cluster import Cluster
from tests.app_database import AppDatabase, invoke, messages, target_directory
from tests.dialect.second_engine import (
    Row,
    arrow_table,
    compared_tables,
    comparing_query,
    difference_of_rows,
    types_in_postgres,
)
from tests.dialect.values import ZONE
from tests.oracle import AppTables
from tests.table_shapes import LOOSE

# PostgreSQL's names of types, as Spark's YAML-free side has them.
TYPES = {
    "decimal(38,12)": "numeric",
    "double": "double precision",
    "int": "integer",
    "string": "text",
    "timestamp": "timestamp with time zone",
}
SPARK_TYPES = {
    "double precision": "double",
    "int": "int",
    "numeric": "decimal(38, 12)",
    "text": "string",
    "timestamptz": "timestamp",
}

# As macros/security/check_session.sql has them.
STRICT = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
}
READ: dict[str, Callable[[Any], Any]] = {
    "date": date.fromisoformat,
    "timestamp with time zone": lambda value: value.replace(tzinfo=UTC),
}


@contextmanager
def cursor_of(cluster: Cluster) -> Iterator[Any]:
    """A session of Spark's thrift server, as strict as those of the models."""
    from pyhive import hive  # of the dependency group `spark`

    with hive.connect(cluster.host, cluster.port, username="paygen") as connection:
        cursor = connection.cursor()
        for name, value in STRICT.items():
            cursor.execute(f"set {name} = {value}")
        yield cursor


def make_table(cluster: Cluster, name: str, types: Mapping[str, str], rows: list[Row]) -> None:
    """Make a table of Spark's from rows, with PostgreSQL's names of types."""
    schema, _, table = name.partition(".")
    path = cluster.folder / "given" / f"{table}.parquet"
    path.parent.mkdir(exist_ok=True)
    pyarrow.parquet.write_table(arrow_table(types, rows), path)
    columns = ", ".join(
        f"cast({column} as {SPARK_TYPES.get(type_, type_)}) as {column}"
        for column, type_ in types.items()
    )
    with cursor_of(cluster) as cursor:
        cursor.execute(f"create schema if not exists {schema}")
        cursor.execute(f"drop table if exists {name}")
        cursor.execute(
            f"create table {name} using parquet as select {columns} from parquet.`{path}`"
        )


def dbt_on_spark(
    cluster: Cluster, *command: str, variables: Mapping[str, Any], **options: Any
) -> dbtRunnerResult:
    """One dbt command with the target `spark`."""
    given = [*command, "--target", "spark", "--vars", json.dumps(dict(variables))]
    with patch.dict(os.environ, cluster.environment()):
        return invoke(given, **{"manifest": parsed_for_spark(), "target": target(), **options})


def build_on_spark(cluster: Cluster, tables: AppTables, variables: Mapping[str, Any]) -> None:
    """Build all that is built on Spark from the app's rows."""
    for name, columns in LOOSE.items():
        types = dict(column.split() for column in columns.replace("\n", " ").split(","))
        make_table(cluster, f"public.{name}", types, getattr(tables, name))
    tests = ["--exclude", "resource_type:test", "resource_type:unit_test"]
    result = dbt_on_spark(cluster, "build", *tests, variables=variables)
    assert result.success, messages(result)


def differences(database: AppDatabase, cluster: Cluster) -> list[str]:
    """Where Spark's marts differ from PostgreSQL's in columns, types, order or rows."""
    models = {node.name for node in parsed_for_spark().nodes.values()}
    names = [name for name in sorted(compared_tables()) if name.partition(".")[2] in models]
    with cursor_of(cluster) as cursor:
        found = [_difference(database, cursor, name) for name in names]
    return [difference for difference in found if difference]


def _difference(database: AppDatabase, cursor: Any, name: str) -> str:
    types = types_in_postgres(database, name)
    cursor.execute(f"describe {name}")
    own_types = {
        column: TYPES.get(type_, type_.replace("decimal", "numeric"))
        for column, type_, _ in cursor.fetchall()
    }
    # JSON is a text there.
    expected = {column: "text" if type_ == "jsonb" else type_ for column, type_ in types.items()}
    if list(expected.items()) != list(own_types.items()):
        return f"{name}: columns {expected} in PostgreSQL, {own_types} in Spark"
    query = comparing_query(name, types)
    cursor.execute(query)
    rows = {
        "PostgreSQL": [tuple(row.values()) for row in database.query(query)],
        "Spark": [value_of_row(types, row) for row in cursor.fetchall()],
    }
    print(f"{name}: {len(rows['PostgreSQL'])} rows in PostgreSQL, {len(rows['Spark'])} in Spark")
    return difference_of_rows(name, types, rows)


def value_of_row(types: Mapping[str, str], row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of a row of Spark's as Python has them.

    The thrift server's client answers dates as texts, and moments without the zone, which is UTC.
    """
    return tuple(
        value if value is None or type_ not in READ else READ[type_](value)
        for type_, value in zip(types.values(), row, strict=True)
    )


def answer(cursor: Any, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, as `value_of_row` reads them."""
    cursor.execute(query)
    kinds = {"DATE_TYPE": "date", "TIMESTAMP_TYPE": "timestamp with time zone"}
    types = {str(place): kinds.get(each[1], "") for place, each in enumerate(cursor.description)}
    return [value_of_row(types, row) for row in cursor.fetchall()]


def values_of_spark(cluster: Cluster, sql: str) -> list[Row]:
    """What Spark answers to a query of `tests/dialect/values.py`."""
    arguments = ("compile", "--inline", sql)
    result = dbt_on_spark(cluster, *arguments, variables={"reporting_timezone": ZONE})
    assert result.success, messages(result)
    with cursor_of(cluster) as cursor:
        rows = answer(cursor, result.result.results[0].node.compiled_code)
        names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in rows]


def plain(value: Any) -> tuple[str, Any]:
    """A value with its kind. Spark has one kind of moment, which is shown in UTC."""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=value.tzinfo or UTC)
    return type(value).__name__, value


@cache
def parsed_for_spark() -> Manifest:
    """The project as dbt reads it for Spark, parsed once in this process."""
    result = invoke(["parse", "--target", "spark"], target=target())
    assert result.success, result.exception
    return result.result


def target() -> Path:
    """A target folder of its own, since a manifest is of one engine."""
    return target_directory() / "spark"
