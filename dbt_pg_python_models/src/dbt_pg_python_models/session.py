"""What a Python model reads through: `session`, and the loader behind `dbt.ref`."""

import threading
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa

from dbt_pg_python_models import reading
from dbt_pg_python_models.engine import Engine
from dbt_pg_python_models.errors import PythonModelError
from dbt_pg_python_models.settings import Settings
from dbt_pg_python_models.spool import Spool


class Session:
    """Queries on dbt's own connection, which is in the model's own transaction where there are any.

    Threads of a model may share it: queries wait for one another.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._lock = threading.RLock()
        self._spools: list[Spool] = []
        self._closed = False
        self.types_read: dict[str, set[str]] = {}

    def table(self, relation: str) -> pd.DataFrame:
        """Load a whole relation; this is what `dbt.ref` and `dbt.source` call.

        Raises:
            PythonModelError: as `sql` does.
        """
        return self.sql(f"select * from {relation}")

    def sql(self, query: str) -> pd.DataFrame:
        """Run one query and return its rows as a DataFrame, one column for each of the query's.

        Integers are nullable (Int16, Int32, Int64), numeric is `decimal.Decimal` (or float64, see
        `python_job_config`), timestamps (UTC) and intervals are in microseconds, arrays are lists,
        what pandas has no type for is text.

        Raises:
            PythonModelError: more rows or megabytes than the model may load, or a value that
                pandas cannot hold.
        """
        tables: list[pa.Table] = []
        size = _Size(self._settings)

        def receive(table: pa.Table) -> None:
            size.add(table)
            tables.append(table)

        columns = self._read(query, receive)
        frame = reading.to_pandas(pa.concat_tables(tables), columns)
        tables.clear()
        pa.default_memory_pool().release_unused()
        return frame

    def batches(self, query: str) -> Iterator[pd.DataFrame]:
        """Run one query and return its rows as DataFrames of some ten thousand rows each.

        The result waits on disk (in TMPDIR), so memory stays small whatever its size. An empty
        result is one empty DataFrame. The columns are as `sql` gives them.

        Raises:
            PythonModelError: a value that pandas cannot hold, or the model has returned.
        """
        spool = Spool()
        self._spools.append(spool)
        columns = self._read(query, spool.append)
        return (reading.to_pandas(table, columns) for table in spool)

    def _read(self, query: str, receive: Any) -> list[reading.Column]:
        query = query.strip().rstrip(";")
        with self._lock:
            if self._closed:
                raise PythonModelError("the model has returned: its session is closed")
            columns = self._engine.describe(query, self._settings)
            for column in columns:
                self.types_read.setdefault(column.name, set()).add(column.type_name)
            self._engine.copy_out(query, columns, receive)
        return columns

    def close(self) -> None:
        """Refuse further queries (of a thread the model left behind) and free the disk."""
        with self._lock:
            self._closed = True
            for spool in self._spools:
                spool.close()


class _Size:
    """Counts what a read has loaded, and stops it early."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rows = 0
        self._bytes = 0

    def add(self, table: pa.Table) -> None:
        self._rows += table.num_rows
        self._bytes += table.nbytes
        for limit, count, unit in (
            (self._settings.max_rows, self._rows, "rows"),
            (self._settings.max_megabytes, self._bytes >> 20, "megabytes"),
        ):
            if limit and count > limit:
                raise PythonModelError(
                    f"the query returns more than {limit} {unit}; read fewer columns or rows with"
                    " session.sql(…), read in pieces with session.batches(…), or raise"
                    f" max_{unit} in the model's python_job_config"
                )
