"""The SQL models built on DuckDB from the same rows, and every mart compared with PostgreSQL's."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pyarrow
from dbt.contracts.graph.manifest import Manifest

from tests.app_database import AppDatabase, invoke, messages, target_directory
from tests.oracle import AppTables
from tests.table_shapes import LOOSE

Row = dict[str, Any]

# What DuckDB has no SQL of ours for: hashes of rows, and which words of a message may be shown.
UNKNOWN = {
    "task_row_digest": "null",
    "error_message": "case when {0} is not null then '<text>' end",
}
# The types of contracts, as DuckDB names them.
TYPES = {
    "DECIMAL(38,12)": "numeric",
    "JSON": "jsonb",
    "VARCHAR": "text",
}
ARROW_TYPES = {
    "int": pyarrow.int32(),
    "numeric": pyarrow.decimal128(38, 12),
    "text": pyarrow.string(),
    "timestamptz": pyarrow.timestamp("us", "UTC"),
}
# Its decimals have no NaN and nothing infinite: a number that is as impossible stands for them.
IMPOSSIBLE = {"cost_usd": Decimal(-1), "credits_used": Decimal(10**16)}


def assert_engines_agree(
    database: AppDatabase, tables: AppTables, variables: Mapping[str, Any], folder: Path
) -> None:
    """Build on DuckDB what PostgreSQL has built from the same rows, and compare every SQL mart.

    Compared are the columns with their types and order, and the rows to the digit.
    """
    path = folder / "second_engine.duckdb"
    with duckdb.connect(str(path)) as connection:
        _load(connection, tables)
    command = ["build", "--target", "duckdb", "--exclude", "tag:python", "resource_type:test"]
    command += ["resource_type:unit_test", "--vars", json.dumps(dict(variables))]
    with patch.dict(os.environ, DUCKDB_PATH=str(path)):
        result = invoke(command, manifest=_parsed_project(), target=_target())
    assert result.success, messages(result)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        marts = [
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'analytics'"
            ).fetchall()
        ]
        assert len(marts) >= 17, marts
        differences = [
            difference for mart in marts if (difference := _difference(database, connection, mart))
        ]
    assert not differences, "\n\n".join(differences)


def _load(connection: duckdb.DuckDBPyConnection, tables: AppTables) -> None:
    connection.execute("create schema public")
    for name, columns in LOOSE.items():
        types = dict(column.split() for column in columns.replace("\n", " ").split(","))
        rows = getattr(tables, name)
        arrow = pyarrow.table(
            {
                column: pyarrow.array(
                    [_possible(column, row.get(column)) for row in rows], ARROW_TYPES[type_]
                )
                for column, type_ in types.items()
            }
        )
        connection.register("app_rows", arrow)
        connection.execute(f"create table public.{name} as select * from app_rows")
        connection.unregister("app_rows")


def _possible(column: str, value: Any) -> Any:
    if isinstance(value, Decimal) and not value.is_finite():
        return IMPOSSIBLE[column]
    return value


@cache
def _parsed_project() -> Manifest:
    with patch.dict(os.environ, DUCKDB_PATH="second_engine.duckdb"):
        result = invoke(["parse", "--target", "duckdb"], target=_target())
    assert result.success, result.exception
    return result.result


def _target() -> Path:
    return target_directory() / "duckdb"


def _difference(database: AppDatabase, connection: duckdb.DuckDBPyConnection, mart: str) -> str:
    types = {
        row["attname"]: row["type"]
        for row in database.query(
            "select attname, format_type(atttypid, atttypmod) as type from pg_attribute"
            f" where attrelid = 'analytics.{mart}'::regclass and attnum > 0 order by attnum"
        )
    }
    own_types = {
        name: TYPES.get(type_, type_.lower().replace("decimal", "numeric"))
        for name, type_, *_ in connection.execute(f"describe analytics.{mart}").fetchall()
    }
    if list(types.items()) != list(own_types.items()):
        return f"{mart}: columns {types} in PostgreSQL, {own_types} in DuckDB"
    columns = [UNKNOWN.get(name, "{0}").format(name) + f" as {name}" for name in types]
    query = f"select {', '.join(columns)} from analytics.{mart}"
    cursor = connection.execute(query)
    in_duckdb = Counter(_comparable(types, row) for row in cursor.fetchall())
    in_postgres = Counter(_comparable(types, tuple(row.values())) for row in database.query(query))
    lines = [f"only in PostgreSQL: {row}" for row in _some(in_postgres - in_duckdb)]
    lines += [f"only in DuckDB:     {row}" for row in _some(in_duckdb - in_postgres)]
    return "\n".join([f"{mart}:", *lines]) if lines else ""


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
