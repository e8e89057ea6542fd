"""From what a model returns to a staging table: types decided on whole columns, then one COPY."""

import io
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from dbt.adapters.events.logging import AdapterLogger
from pyarrow import csv

from dbt_pg_python_models import binary
from dbt_pg_python_models.encoding import POSTGRES_TYPE
from dbt_pg_python_models.errors import PythonModelError
from dbt_pg_python_models.identifiers import quoted

CHUNK_ROWS = 50_000
READ_BYTES = 1 << 16
WIDENING = (("smallint", "integer", "bigint"), ("real", "double precision"))

logger = AdapterLogger("Postgres")


@dataclass(frozen=True)
class Target:
    """Where the rows go and what is known of it, as the materialization says.

    Attributes:
        relation: the staging table to create, as SQL.
        temporary: whether it is a temporary table, gone at commit.
        unlogged: whether it is an unlogged one.
        existing: the model's table as it stands, as SQL; None where there is none.
        append: whether the rows are added to `existing`, whose column types then hold.
        may_change_types: whether the incremental run may change the types of `existing`.
    """

    relation: str
    temporary: bool = False
    unlogged: bool = False
    existing: str | None = None
    append: bool = False
    may_change_types: bool = False


@dataclass
class Columns:
    """The columns of all batches.

    Attributes:
        names: in order.
        inferred: the type inferred for a column so far, where it is not declared.
        schemas: of each batch.
    """

    names: list[str] = field(default_factory=list)
    inferred: dict[str, str] = field(default_factory=dict)
    schemas: list[pa.Schema] = field(default_factory=list)

    def add(self, table: pa.Table, declared: Mapping[str, str]) -> None:
        """Take one more batch into account.

        Raises:
            PythonModelError: its columns or their types do not fit those of the batches before.
        """
        if self.names and table.column_names != self.names:
            raise PythonModelError(
                f"a batch has the columns {table.column_names}, the batches before {self.names}"
            )
        self.names = table.column_names
        self.schemas.append(table.schema)
        for column in table.schema:
            type_name = ((column.metadata or {}).get(POSTGRES_TYPE) or b"").decode()
            if type_name and column.name not in declared:
                known = self.inferred.get(column.name, type_name)
                self.inferred[column.name] = _wider(column.name, known, type_name)


def _wider(name: str, known: str, new: str) -> str:
    if known == new:
        return known
    for order in WIDENING:
        if known in order and new in order:
            return max(known, new, key=order.index)
    raise PythonModelError(
        f"column {name!r} is {known} in one batch and {new} in another: "
        "declare its data_type in the model's YAML"
    )


def check_contract(names: list[str], documented: Iterable[str], declared: Iterable[str]) -> None:
    """Compare the returned columns with those of the YAML.

    Args:
        names: the returned columns.
        documented: the columns that must all be there and be the only ones; empty without contract.
        declared: the columns with a type, which must be there in any case.

    Raises:
        PythonModelError: a column is missing, or is one too many; the message names it.
    """
    if missing := [name for name in (*declared, *documented) if name not in names]:
        raise PythonModelError(
            f"the model's YAML has the columns {', '.join(dict.fromkeys(missing))}, which the model"
            " did not return"
        )
    documented = set(documented)
    if documented and (extra := [name for name in names if name not in documented]):
        raise PythonModelError(
            f"the model returned the columns {', '.join(extra)}, which its YAML does not have"
        )


def decide_types(
    columns: Columns,
    declared: Mapping[str, str],
    target: Target,
    existing: Mapping[str, str],
    types_read: Mapping[str, set[str]],
) -> dict[str, str]:
    """Choose each column's type.

    Declared beats the existing table of an incremental run beats inferred. A column that is null
    throughout takes the type it had, else that of the input column of its name, else text.

    Args:
        columns: names and inferred types, of all batches.
        declared: `data_type` by column name, where the YAML gives one.
        target: where the rows go.
        existing: the columns of the model's table as it stands, and their types.
        types_read: the types of the columns that the model read, by name.

    Returns:
        The type of each column as SQL, in the order of `columns`.
    """
    types = {}
    for name in columns.names:
        read = types_read.get(name, set())
        kept = existing.get(name)
        known = (
            declared.get(name)
            or (kept if target.append else None)
            or columns.inferred.get(name)
            or kept
            or (next(iter(read)) if len(read) == 1 else None)
        )
        if known is None:
            logger.warning(
                f"column {name!r} of {target.relation} is null throughout: its type is unknown and"
                " becomes text; declare its data_type in the model's YAML"
            )
        types[name] = known or "text"
    return types


def create(cursor: Any, target: Target, types: Mapping[str, str]) -> None:
    """Create the staging table.

    Raises:
        PythonModelError: a declared type contradicts the table that the rows are added to.
        psycopg2.Error: a declared type does not exist, or the role may not create the table.
    """
    kind = "temporary " if target.temporary else "unlogged " if target.unlogged else ""
    columns = ", ".join(f"{quoted(name)} {type_name}" for name, type_name in types.items())
    on_commit = " on commit drop" if target.temporary else ""
    cursor.execute(f"create {kind}table {target.relation} ({columns}){on_commit}")
    if target.append and target.existing and not target.may_change_types:
        _refuse_other_types(cursor, target.relation, target.existing)


def _refuse_other_types(cursor: Any, staging: str, existing: str) -> None:
    new, old = (column_types(cursor, relation) for relation in (staging, existing))
    for name in new.keys() & old.keys():
        both_varchar = all(kind[name].startswith("character varying(") for kind in (new, old))
        if new[name] != old[name] and not both_varchar:
            raise PythonModelError(
                f"column {name!r} is declared as {new[name]}, the table has {old[name]}: run with"
                " --full-refresh, or set on_schema_change: sync_all_columns"
            )


def column_types(cursor: Any, relation: str) -> dict[str, str]:
    """The columns of a relation and their types, in order."""
    cursor.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
        (relation,),
    )
    return dict(cursor.fetchall())


def copy_in(cursor: Any, relation: str, columns: Columns, tables: Iterable[pa.Table]) -> int:
    """Write encoded tables with one COPY; return the number of rows.

    Binary where every column allows it, which the server takes in twice as fast, else CSV.

    Args:
        cursor: of the model's transaction.
        relation: the staging table, as SQL.
        columns: names and schemas of all `tables`.
        tables: what `encoding.encode` returned, in order.

    Raises:
        psycopg2.Error: the server refused a value for the type of its column.
    """
    types = column_types(cursor, relation)
    pieces = _pieces(tables)
    if all(binary.can_encode(schema, types) for schema in columns.schemas):
        copy_format, chunks = "binary", binary.encode(pieces, types)
    else:
        copy_format, chunks = "csv", map(csv_of, pieces)
    names = ", ".join(map(quoted, columns.names))
    cursor.copy_expert(
        f"copy {relation} ({names}) from stdin (format {copy_format}, encoding 'UTF8')",
        _File(_ahead(chunks)),
        READ_BYTES,
    )
    rows: int = cursor.rowcount
    return rows


class _File(io.RawIOBase):
    """The file that psycopg2 reads from, in pieces of its own size."""

    def __init__(self, chunks: Iterator[Any]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = memoryview(chunk)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)


def _ahead(chunks: Iterator[Any]) -> Iterator[Any]:
    """Make the next chunk in a thread, while the server takes in this one."""
    with ThreadPoolExecutor(1) as maker:
        making = maker.submit(next, chunks, None)
        while (chunk := making.result()) is not None:
            making = maker.submit(next, chunks, None)
            yield chunk


def _pieces(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for table in tables:
        for start in range(0, table.num_rows, CHUNK_ROWS):
            yield table.slice(start, CHUNK_ROWS)


def csv_of(table: pa.Table) -> pa.Buffer:
    """Rows of numbers, times and texts as CSV."""
    text = pa.BufferOutputStream()
    csv.write_csv(table, text, csv.WriteOptions(include_header=False))
    return text.getvalue()
