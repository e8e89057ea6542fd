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
from spark_io.__main__ import main
from spark_io.project import answer_of
from tests.app_database import (
    AppDatabase,
    invoke,
    messages,
    parsed_project,
    target_directory,
)
from tests.dialect.second_engine import (
    Row,
    arrow_table,
    compared_tables,
    comparing_query,
    difference_of_rows,
    types_in_postgres,
)
from tests.dialect.values import ZONE
from tests.histories import load
from tests.oracle import AppTables
from tests.spark_io.conftest import asked
from tests.table_shapes import LOOSE, loosen

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


PYTHON_MODELS = ("analytics_intermediate.int_costs_forecast", "analytics.usage_anomalies")


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


def make_app_tables(cluster: Cluster, tables: AppTables) -> None:
    """Make the app's tables, as those of an export are."""
    for name, columns in LOOSE.items():
        types = dict(column.split() for column in columns.replace("\n", " ").split(","))
        make_table(cluster, f"public.{name}", types, getattr(tables, name))


def drop_app_tables(cluster: Cluster) -> None:
    """Drop what `make_app_tables` made."""
    with cursor_of(cluster) as cursor:
        for name in LOOSE:
            cursor.execute(f"drop table public.{name}")


def dbt_on_spark(
    cluster: Cluster, *command: str, variables: Mapping[str, Any], **options: Any
) -> dbtRunnerResult:
    """One dbt command with the target `spark`."""
    given = [*command, "--target", "spark", "--vars", json.dumps(dict(variables))]
    with patch.dict(os.environ, cluster.environment()):
        return invoke(given, **{"manifest": parsed_for_spark(), "target": target(), **options})


def build_on_both(
    database: AppDatabase, cluster: Cluster, tables: AppTables, variables: Mapping[str, Any]
) -> None:
    """Build all models on PostgreSQL, and from a copy of its rows on Spark.

    Each data test ends the same on both. Those that Spark leaves out are of models that it has not.
    """
    loosen(database)
    load(database, tables)
    in_postgres = database.dbt("build", variables=variables, python_models=True)
    spark_io(cluster, database, "load", "--to", str(cluster.folder / "app"))
    in_spark = dbt_on_spark(
        cluster, "build", "--exclude", "resource_type:unit_test", variables=variables
    )
    assert in_spark.success, messages(in_spark)
    expected, found = outcomes(in_postgres), outcomes(in_spark)
    known = parsed_for_spark().nodes
    for unique_id in expected.keys() - found.keys():
        parents = parsed_project().nodes[unique_id].depends_on.nodes
        assert any(parent not in known for parent in parents), unique_id
        del expected[unique_id]
    assert expected == found
    print(len(found), "data tests end the same")


def outcomes(result: dbtRunnerResult) -> dict[str, tuple[str, int | None]]:
    """By data test, how it ended and for how many rows."""
    return {
        each.node.unique_id: (str(each.status), each.failures)
        for each in result.result.results
        if each.node.resource_type == "test"
    }


def spark_io(cluster: Cluster, database: AppDatabase, *arguments: str) -> None:
    """`python -m spark_io` in this process, as the role that builds."""

    def ask(call: str) -> Any:
        return answer_of(asked(database, call))

    with patch.dict(os.environ, {**database.environment(), **cluster.environment()}):
        assert main(arguments, ask) == 0


def differences(database: AppDatabase, cluster: Cluster) -> list[str]:
    """Where Spark's marts differ from PostgreSQL's in columns, types, order or rows."""
    models = {node.name for node in parsed_for_spark().nodes.values()}
    compared = [*compared_tables(), *PYTHON_MODELS]
    names = [name for name in sorted(compared) if name.partition(".")[2] in models]
    with cursor_of(cluster) as cursor:
        found = [difference(database, cursor, name) for name in names]
    return [each for each in found if each]


def published_differences(database: AppDatabase, published: AppDatabase) -> list[str]:
    """Where the marts that were published differ from those that PostgreSQL built."""
    found = []
    models = {node.name for node in parsed_for_spark().nodes.values()}
    for name in sorted(compared_tables()):
        schema, _, mart = name.partition(".")
        if schema != "analytics" or mart not in models:
            continue
        types = types_in_postgres(database, name)
        if list(types.items()) != list(types_in_postgres(published, name).items()):
            found.append(f"{name}: other columns")
            continue
        query = comparing_query(name, types)
        rows = {
            which: [tuple(row.values()) for row in each.query(query)]
            for which, each in (("built", database), ("published", published))
        }
        found.append(difference_of_rows(name, types, rows))
    return [each for each in found if each]


def difference(database: AppDatabase, cursor: Any, name: str) -> str:
    """Where a table of Spark's differs from PostgreSQL's; empty if it does not."""
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
