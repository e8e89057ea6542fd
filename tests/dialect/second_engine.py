"""The SQL models built on PostgreSQL and on DuckDB from the same rows, and all marts compared."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pyarrow
import yaml
from dbt.contracts.graph.manifest import Manifest

from tests.app_database import (
    BUILD_ROLE,
    PROJECT,
    AppDatabase,
    invoke,
    messages,
    parsed_project,
    target_directory,
)
from tests.histories import load
from tests.oracle import AppTables
from tests.table_shapes import LOOSE, loosen

Row = dict[str, Any]

FORECASTS, REASONS = "int_costs_forecast", "int_failure_reasons"
PYTHON_MODELS = (FORECASTS, REASONS, "usage_anomalies")

# What DuckDB has no SQL of ours for: hashes of rows, and which words of a message may be shown.
UNKNOWN = {
    "task_row_digest": "null",
    "error_message": "case when {0} is not null then '<text>' end",
    "example_message": "case when {0} is not null then '<text>' end",
}
# The types of contracts, as DuckDB names them.
TYPES = {
    "DECIMAL(38,12)": "numeric",
    "DOUBLE": "double precision",
    "JSON": "jsonb",
    "VARCHAR": "text",
}
ARROW_TYPES = {
    "bigint": pyarrow.int64(),
    "boolean": pyarrow.bool_(),
    "date": pyarrow.date32(),
    "double precision": pyarrow.float64(),
    "integer": pyarrow.int32(),
    "int": pyarrow.int32(),
    "numeric": pyarrow.decimal128(38, 12),
    "text": pyarrow.string(),
    "timestamptz": pyarrow.timestamp("us", "UTC"),
}
EXACT = {"numeric": "numeric(38, 12)"}
# The sentences of `alerts` show decimals as each engine writes them, and it goes by the clock; the
# record of runs is kept on PostgreSQL alone.
NOT_COMPARED = ("alerts", "run_history")
# Its decimals have no NaN and nothing infinite: a number that is as impossible stands for them.
IMPOSSIBLE = {"cost_usd": Decimal(-1), "credits_used": Decimal(10**16)}


def build_on_postgres(
    database: AppDatabase,
    tables: AppTables,
    variables: Mapping[str, Any],
    computed: Mapping[str, list[Row]],
) -> None:
    """Build the SQL models from the app's rows, and from rows in the place of Python models'."""
    loosen(database)
    load(database, tables)
    for model, rows in computed.items():
        columns = ", ".join(f"{name} {type_}" for name, type_ in columns_of(model).items())
        name = f"analytics_intermediate.{model}"
        database.execute(f"create table {name} ({columns})", user=BUILD_ROLE)
        database.insert(name, *rows)
    database.dbt("seed")
    python_models = ["--exclude", *PYTHON_MODELS]
    database.dbt("run", *python_models, variables=variables, python_models=True)


def build_on_duckdb(
    path: Path,
    tables: AppTables,
    variables: Mapping[str, Any],
    computed: Mapping[str, list[Row]],
) -> None:
    """Build the same from the same rows in a new database file."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema public; create schema analytics_intermediate")
        for name, columns in LOOSE.items():
            types = dict(column.split() for column in columns.replace("\n", " ").split(","))
            make_table(connection, f"public.{name}", types, getattr(tables, name))
        for model, rows in computed.items():
            name = f"analytics_intermediate.{model}"
            make_table(connection, name, columns_of(model), rows)
    tests = ["resource_type:test", "resource_type:unit_test"]
    command = ["build", "--target", "duckdb", "--exclude", *PYTHON_MODELS, *tests]
    with patch.dict(os.environ, DUCKDB_PATH=str(path)):
        result = invoke(
            [*command, "--vars", json.dumps(dict(variables))],
            manifest=parsed_for_duckdb(),
            target=target_of_duckdb(),
        )
    assert result.success, messages(result)


def assert_engines_agree(database: AppDatabase, path: Path) -> None:
    """Compare every SQL mart, and what forecasts are made from.

    Compared are the columns with their types and order, and the rows to the digit.
    """
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        found = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where (table_schema = 'analytics' or table_name = 'int_usage_by_provider_day')"
            f" and table_name not in {NOT_COMPARED}"
        ).fetchall()
        names = sorted(name for (name,) in found)
        assert names == sorted(compared_tables())
        differences = [
            difference for name in names if (difference := _difference(database, connection, name))
        ]
    assert not differences, "\n\n".join(differences)


@cache
def columns_of(model: str) -> dict[str, str]:
    """Names and types of a Python model that SQL marts read."""
    (path,) = (PROJECT / "models" / "intermediate").rglob(f"{model}.yml")
    (model,) = yaml.safe_load(path.read_text())["models"]
    return {column["name"]: column["data_type"] for column in model["columns"]}


def make_table(
    connection: duckdb.DuckDBPyConnection, name: str, types: Mapping[str, str], rows: list[Row]
) -> None:
    """Make a table of DuckDB's from rows, with PostgreSQL's names of types."""
    connection.register("rows_of_table", arrow_table(types, rows))
    columns = [f"{column} {EXACT.get(type_, type_)}" for column, type_ in types.items()]
    connection.execute(f"create table {name} ({', '.join(columns)})")
    connection.execute(f"insert into {name} select * from rows_of_table")
    connection.unregister("rows_of_table")


def arrow_table(types: Mapping[str, str], rows: list[Row]) -> pyarrow.Table:
    """Rows as Arrow, by PostgreSQL's names of types."""
    return pyarrow.table(
        {
            column: pyarrow.array(
                [_possible(column, type_, row.get(column)) for row in rows],
                ARROW_TYPES[type_.partition("(")[0]],
            )
            for column, type_ in types.items()
        }
    )


def _possible(column: str, type_: str, value: Any) -> Any:
    if isinstance(value, Decimal) and not value.is_finite():
        return IMPOSSIBLE[column]
    return int(value) if type_ == "int" and value is not None else value


@cache
def parsed_for_duckdb() -> Manifest:
    """The project as dbt reads it for DuckDB, parsed once in this process."""
    # A database is called as its file, also in the manifest.
    with patch.dict(os.environ, DUCKDB_PATH="app.duckdb"):
        result = invoke(["parse", "--target", "duckdb"], target=target_of_duckdb())
    assert result.success, result.exception
    return result.result


def target_of_duckdb() -> Path:
    """A target folder of its own, since a manifest is of one engine."""
    return target_directory() / "duckdb"


def compared_tables() -> Iterator[str]:
    """Every SQL mart that engines are compared by, and what forecasts are made from."""
    for node in parsed_project().nodes.values():
        is_mart = node.resource_type == "model" and node.language == "sql" and "marts" in node.fqn
        if is_mart and node.name not in NOT_COMPARED:
            yield f"{node.schema}.{node.name}"
    yield "analytics_intermediate.int_usage_by_provider_day"


def types_in_postgres(database: AppDatabase, name: str) -> dict[str, str]:
    """The columns of a table in their order, each with its type."""
    return {
        row["attname"]: row["type"]
        for row in database.query(
            "select attname, format_type(atttypid, atttypmod) as type from pg_attribute"
            f" where attrelid = '{name}'::regclass and attnum > 0 order by attnum"
        )
    }


def comparing_query(name: str, columns: Iterable[str]) -> str:
    """What to ask two engines of a table."""
    compared = [UNKNOWN.get(each, "{0}").format(each) + f" as {each}" for each in columns]
    return f"select {', '.join(compared)} from {name}"


def difference_of_rows(
    name: str,
    types: Mapping[str, str],
    rows: Mapping[str, Iterable[tuple[Any, ...]]],
) -> str:
    """Where the rows of two engines, each by its name, are not the same; empty if they are."""
    (one, in_one), (other, in_other) = (
        (engine, Counter(_comparable(types, row) for row in found))
        for engine, found in rows.items()
    )
    lines = [f"only in {one}: {row}" for row in _some(in_one - in_other)]
    lines += [f"only in {other}: {row}" for row in _some(in_other - in_one)]
    return "\n".join([f"{name}:", *lines]) if lines else ""


def _difference(database: AppDatabase, connection: duckdb.DuckDBPyConnection, name: str) -> str:
    types = types_in_postgres(database, name)
    own_types = {
        column: TYPES.get(type_, type_.lower().replace("decimal", "numeric"))
        for column, type_, *_ in connection.execute(f"describe {name}").fetchall()
    }
    if list(types.items()) != list(own_types.items()):
        return f"{name}: columns {types} in PostgreSQL, {own_types} in DuckDB"
    query = comparing_query(name, types)
    rows = {
        "PostgreSQL": [tuple(row.values()) for row in database.query(query)],
        "DuckDB": connection.execute(query).fetchall(),
    }
    return difference_of_rows(name, types, rows)


def _comparable(types: Mapping[str, str], row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of a row, each with its Python type: a float is no decimal."""
    values = {}
    for (name, type_), value in zip(types.items(), row, strict=True):
        if type_ == "jsonb":
            text = value if isinstance(value, str) else json.dumps(value)
            value = json.dumps(_exact(json.loads(text)), sort_keys=True)
        values[name] = (type(value).__name__, value)
    return tuple(values.items())


def _exact(value: Any) -> Any:
    """What JSON holds: numbers without trailing zeros, messages as they are compared."""
    if isinstance(value, dict):
        return {
            name: "<text>" if name == "error" and each is not None else _exact(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_exact(each) for each in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(Decimal(str(value)).normalize())
    return value


def _some(rows: Counter) -> list[tuple]:
    return sorted(rows.elements(), key=str)[:3]
