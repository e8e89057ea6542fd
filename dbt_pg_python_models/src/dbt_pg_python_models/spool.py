"""Arrow tables kept on disk, for data that need not fit in memory."""

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import pyarrow as pa


class Spool:
    """Tables written once in order and read as often as needed; each may have its own schema.

    The file has no name (nobody else can open it) and vanishes with the process.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="dbt-python-")  # noqa: SIM115
        self._offsets: list[int] = []

    def append(self, table: pa.Table) -> None:
        """Write one table at the end."""
        self._offsets.append(self._file.seek(0, 2))
        with pa.ipc.new_stream(self._file, table.schema) as stream:
            stream.write_table(table)

    def __iter__(self) -> Iterator[pa.Table]:
        for offset in self._offsets:
            self._file.seek(offset)
            with pa.ipc.open_stream(self._file) as stream:
                yield stream.read_all()

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
