"""The folder of Parquet between PostgreSQL and Spark, here or in an object storage.

A month of a table is a folder of its own, named by the digest of its rows, and is never changed. A
snapshot is a small file that lists the months of all tables, written last: what a load that broke
off has left is in no snapshot, and the next load takes from it the months that are as they were.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from reader.problems import Problem, shown
from reader.state import held
from spark_io.app_tables import Part

ROWS_OF_A_FILE = 4_000_000
ROWS_OF_A_GROUP = 131_072
DIGEST = b"paygen.digest"
KEPT_SNAPSHOTS = 2


@dataclass(frozen=True)
class LoadedTable:
    """The columns of a table of the app, by name, and the months that a snapshot has of it."""

    columns: Mapping[str, str]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Snapshot:
    """The app's tables as of one moment."""

    name: str
    taken_at: str
    tables: Mapping[str, LoadedTable]

    @classmethod
    def of(cls, taken_at: datetime, tables: Mapping[str, LoadedTable]) -> "Snapshot":
        """One of this moment."""
        return cls(taken_at.strftime("%Y%m%d%H%M%S%f"), taken_at.isoformat(), tables)


class Store:
    """The folder."""

    def __init__(self, place: str):
        """Open it.

        Raises:
            Problem: there can be no such folder.
        """
        if "@" in urlsplit(place).netloc:
            raise Problem(
                "The address of the folder has a key in it, which would be shown to others: set"
                " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead."
            )
        try:
            if "://" in place:
                self._files, self._root = fs.FileSystem.from_uri(place)
            else:
                self._files, self._root = fs.LocalFileSystem(), os.path.abspath(place)
        except (pa.ArrowException, OSError) as error:
            raise Problem(f"{shown(place)} is no folder ({error}): name another.") from error
        self._is_local = isinstance(self._files, fs.LocalFileSystem)
        self.place = self._root if self._is_local else place

    def url(self, *names: str) -> str:
        """Where Spark finds something."""
        path = "/".join([self._root, *names])
        scheme = "file" if self._is_local else self._files.type_name
        return f"{'s3a' if scheme == 's3' else scheme}://{path}"

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else writes here until the block ends.

        Raises:
            Problem: somebody does, or nothing can be written.
        """
        if not self._is_local:
            return nullcontext()
        with self.writing():
            os.makedirs(self._root, exist_ok=True)
        return held(Path(self._root, "load"), "TO=folder", "load", 0)

    def has(self, table: str, part: Part, schema: pa.Schema) -> bool:
        """Whether all rows of a part are here, in files that can be read."""
        rows = 0
        for path in self._paths(table, folder_of(part)):
            try:
                about = pq.read_metadata(self._files.open_input_file(path))
            except (OSError, pa.ArrowException):
                return False
            if (about.metadata or {}).get(DIGEST) != part.digest.encode():
                return False
            if not about.schema.to_arrow_schema().remove_metadata().equals(schema):
                return False
            rows += about.num_rows
        return rows == part.rows

    def write(self, table: str, part: Part, schema: pa.Schema) -> "PartWriter":
        """A writer of the rows of a part."""
        return PartWriter(self, table, part, schema)

    def snapshots(self) -> list[Snapshot]:
        """All that are complete, the newest last.

        Raises:
            Problem: one cannot be read.
        """
        found = []
        for path in self._paths("snapshots"):
            try:
                with self._files.open_input_stream(path) as file:
                    given = json.loads(file.read())
                tables = {
                    name: LoadedTable(
                        table["columns"], tuple(Part(**part) for part in table["parts"])
                    )
                    for name, table in given["tables"].items()
                }
                found.append(Snapshot(given["name"], given["taken_at"], tables))
            except (ValueError, KeyError, TypeError) as error:
                raise Problem(
                    f"{path} is no list of a snapshot's files ({shown(str(error))}): remove it and"
                    " load again."
                ) from error
        return found

    def keep(self, snapshot: Snapshot) -> None:
        """Make a snapshot the newest, and remove what only older ones than the last two have."""
        text = json.dumps(asdict(snapshot), indent=1)
        path = self.new_file()
        with self.writing():
            path.write_text(text)
        self.put(path, "snapshots", f"{snapshot.name}.json")
        snapshots = self.snapshots()
        for old in snapshots[:-KEPT_SNAPSHOTS]:
            self.remove("snapshots", f"{old.name}.json")
        used = {
            (name, folder_of(part))
            for each in snapshots[-KEPT_SNAPSHOTS:]
            for name, table in each.tables.items()
            for part in table.parts
        }
        for table in {name for each in snapshots for name in each.tables}:
            for folder in self._folders(table):
                if (table, folder) not in used:
                    self.remove(table, folder)

    def read(self, *names: str) -> Iterator[pa.Table]:
        """The rows of all Parquet files of a folder, a group at a time.

        Raises:
            Problem: a file is damaged.
        """
        for path in self._paths(*names):
            if not path.endswith(".parquet"):
                continue
            try:
                file = pq.ParquetFile(
                    self._files.open_input_file(path), page_checksum_verification=True
                )
                for batch in file.iter_batches(ROWS_OF_A_GROUP):
                    yield pa.Table.from_batches([batch])
            except (OSError, pa.ArrowException) as error:
                raise Problem(
                    f"{path} is damaged ({shown(str(error), 120)}): have it written again."
                ) from error

    def remove(self, *names: str) -> None:
        """Remove a folder or a file, if it is there."""
        path = "/".join([self._root, *names])
        kind = self._files.get_file_info(path).type
        if kind == fs.FileType.Directory:
            self._files.delete_dir(path)
        elif kind == fs.FileType.File:
            self._files.delete_file(path)

    def new_file(self) -> Path:
        """An empty file beside the others, to be filled and `put`."""
        with self.writing():
            folder = self._root if self._is_local else None
            handle, name = tempfile.mkstemp(prefix=".partial-", dir=folder)
            os.close(handle)
        return Path(name)

    def put(self, path: Path, *names: str) -> None:
        """Put a file in its place at once."""
        target = "/".join([self._root, *names])
        with self.writing():
            if self._is_local:
                with path.open("rb") as file:
                    os.fsync(file.fileno())
                path.chmod(0o644)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.replace(path, target)
                return
            with path.open("rb") as file, self._files.open_output_stream(target) as stream:
                while piece := file.read(8 << 20):
                    stream.write(piece)
            path.unlink()

    def sweep(self) -> None:
        """Remove what a load that was killed left half written."""
        if self._is_local and os.path.isdir(self._root):
            for each in Path(self._root).glob(".partial-*"):
                each.unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """What cannot be written becomes a sentence."""
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else shown(str(error), 160)
            raise Problem(
                f"{self.place} cannot be written ({reason}): what is complete there stays, and no"
                " snapshot was made; make room or name another folder, and load again."
            ) from error

    def _paths(self, *names: str) -> list[str]:
        found = self._found(*names)
        return sorted(each.path for each in found if each.type == fs.FileType.File)

    def _folders(self, *names: str) -> list[str]:
        found = self._found(*names)
        return [each.base_name for each in found if each.type == fs.FileType.Directory]

    def _found(self, *names: str) -> list[Any]:
        selector = fs.FileSelector("/".join([self._root, *names]), allow_not_found=True)
        try:
            return list(self._files.get_file_info(selector))
        except OSError as error:
            raise Problem(f"{self.place} cannot be read ({shown(str(error), 160)}).") from error


class PartWriter:
    """Writes the rows of a part into files, each put in its place when it is complete."""

    def __init__(self, store: Store, table: str, part: Part, schema: pa.Schema):
        self.part = part
        self._store = store
        self._place = (table, folder_of(part))
        self._schema = schema.with_metadata({DIGEST: part.digest.encode()})
        self._waiting: list[pa.Table] = []
        self._rows = self._rows_of_file = self._files = 0
        self._path: Path | None = None
        self._writer: pq.ParquetWriter | None = None

    @property
    def waiting(self) -> int:
        """How many rows are not written yet."""
        return sum(each.num_rows for each in self._waiting)

    def add(self, rows: pa.Table) -> None:
        """Take more rows."""
        self._waiting.append(rows)
        if self.waiting >= ROWS_OF_A_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait."""
        if not self._waiting:
            return
        rows = pa.concat_tables(self._waiting).cast(self._schema)
        self._waiting = []
        if not self._writer:
            self._path = self._store.new_file()
        with self._store.writing():
            if not self._writer:
                self._writer = pq.ParquetWriter(
                    self._path, self._schema, compression="zstd", write_page_checksum=True
                )
            self._writer.write_table(rows)
        self._rows += rows.num_rows
        self._rows_of_file += rows.num_rows
        if self._rows_of_file >= ROWS_OF_A_FILE:
            self._end_file()

    def finish(self) -> None:
        """Write what is left.

        Raises:
            Problem: it is not as many rows as the part has.
        """
        self.flush()
        self._end_file()
        if self._rows != self.part.rows:
            raise Problem(
                f"{self._rows} rows of {'/'.join(self._place)} arrived, and the server counted"
                f" {self.part.rows}: load again."
            )

    def abandon(self) -> None:
        """Leave nothing of a file that is not complete."""
        if self._path:
            self._path.unlink(missing_ok=True)

    def _end_file(self) -> None:
        if not (self._writer and self._path):
            return
        with self._store.writing():
            self._writer.close()
        self._store.put(self._path, *self._place, f"rows-{self._files}.parquet")
        self._files, self._rows_of_file, self._writer = self._files + 1, 0, None


def folder_of(part: Part) -> str:
    """The name of a part's folder."""
    return f"{part.name}-{part.digest}"
