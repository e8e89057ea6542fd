"""Load the app's tables from a folder of CSV files."""

import gzip
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import IO

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

REQUIRED = ("credit_transactions", "enhancement_tasks", "user_credits")
OPTIONAL = ("system_alerts", "credit_pools", "credit_purchase_requests", "api_providers")


def find_files(folder: Path) -> dict[str, Path]:
    """The CSV file of each table: `<table>.csv` or `<table>.csv.gz`. Other files are left alone.

    Raises:
        ValueError: the folder or a required table is missing, or a table is there twice.
    """
    if not folder.is_dir():
        raise ValueError(f"no folder {folder}")
    files = {}
    for table in (*REQUIRED, *OPTIONAL):
        found = [path for end in (".csv", ".csv.gz") if (path := folder / (table + end)).is_file()]
        if len(found) > 1:
            raise ValueError(f"{folder} has both {found[0].name} and {found[1].name}: keep one")
        if not found and table in REQUIRED:
            raise ValueError(f"{folder} has neither {table}.csv nor {table}.csv.gz")
        if found:
            files[table] = found[0]
    return files


def load(
    cursor: Cursor, files: dict[str, Path], wrap: Callable[[IO[bytes], Path], IO[bytes]]
) -> datetime:
    """Copy each file into its table, columns by header, and answer the end of the data.

    A column that the app's table lacks is added to it as text, so nothing in the file is lost.

    Args:
        cursor: on an empty app's database, inside a transaction.
        files: as `find_files` answers them.
        wrap: given an opened file and its path, answers the file to read: for a progress bar.

    Returns:
        Midnight (UTC) after the last `created_at` of tasks and ledger.

    Raises:
        ValueError: a file cannot be read as its table's rows; says which file, line and column.
    """
    for table, path in files.items():
        try:
            with path.open("rb") as raw:
                wrapped = wrap(raw, path)
                stream = gzip.GzipFile(fileobj=wrapped) if path.suffix == ".gz" else wrapped
                header = stream.readline().decode("utf-8-sig").strip()
                columns = [name.strip().strip('"') for name in header.split(",")]
                _copy(cursor, table, columns, stream)
        except psycopg2.Error as error:
            diagnostics = error.diag
            where = (diagnostics.context or "").splitlines()[0:1]
            reason = "; ".join([diagnostics.message_primary or str(error), *where])
            raise ValueError(f"{path}: {reason}") from error
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from error
    cursor.execute(
        """
        select date_trunc('day', max(created_at), 'UTC') + interval '1 day'
        from (
            select created_at from enhancement_tasks
            union all
            select created_at from credit_transactions
        ) as dated_rows
        """
    )
    (end,) = cursor.fetchone()
    if end is None:
        raise ValueError("no task and no ledger row has a created_at")
    return end


def _copy(cursor: Cursor, table: str, columns: list[str], stream: IO[bytes]) -> None:
    name = sql.Identifier(table)
    for column in columns:
        cursor.execute(
            sql.SQL("alter table {} add column if not exists {} text").format(
                name, sql.Identifier(column)
            )
        )
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    cursor.copy_expert(
        sql.SQL("copy {} ({}) from stdin with (format csv)").format(name, names), stream
    )
