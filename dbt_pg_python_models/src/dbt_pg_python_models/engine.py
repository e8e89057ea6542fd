"""What the runtime asks of an engine: PostgreSQL (`postgres`) or Apache Spark (`spark`)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import pyarrow as pa

from dbt_pg_python_models.reading import Column
from dbt_pg_python_models.settings import Settings
from dbt_pg_python_models.writing import Columns, Target


class Engine(Protocol):
    """The connection that dbt has open for a model, with the settings that reading counts on."""

    def describe(self, query: str, settings: Settings) -> list[Column]:
        """Ask for a query's columns, without running it."""

    def copy_out(
        self, query: str, columns: list[Column], receive: Callable[[pa.Table], None]
    ) -> None:
        """Run a query and hand its rows to `receive`; one without rows is an empty table."""

    def column_types(self, relation: str) -> dict[str, str]:
        """The columns of a relation and their types, in order."""

    def write(
        self,
        target: Target,
        types: Mapping[str, str],
        columns: Columns,
        tables: Iterable[pa.Table],
    ) -> int:
        """Create the staging table and write encoded tables into it; return the number of rows."""
