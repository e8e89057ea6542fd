"""From PostgreSQL to the folder: a snapshot of the app's tables. Only what changed is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reader.progress import Tell
from spark_io.app_tables import AppTable, Part, snapshot
from spark_io.store import LoadedTable, PartWriter, Snapshot, Store

# About as many rows are read by one statement; what a load has of them when it is killed is lost.
ROWS_AT_ONCE = 1_000_000
ROWS_IN_MEMORY = 400_000


@dataclass(frozen=True)
class Loaded:
    """What a load did."""

    snapshot: Snapshot
    is_new: bool
    rows_read: int
    rows_kept: int


def load(store: Store, tables: Sequence[AppTable], tell: Tell) -> Loaded:
    """Bring a folder to what the app's tables are now.

    Raises:
        Problem: they cannot be read, or the folder not be written; no snapshot was made.
    """
    with store.locked(), snapshot() as (cursor, taken_at):
        store.sweep()
        known = store.snapshots()
        loaded, rows_read, rows = {}, 0, 0
        for table in tables:
            tell(f"{table.name}: what changed", 0, 1)
            parts = table.parts(cursor)
            tell(f"{table.name}: what changed", 1, 1)
            to_read = [part for part in parts if not store.has(table.name, part, table.schema)]
            _read(store, cursor, table, parts, to_read, tell)
            loaded[table.name] = LoadedTable(table.columns, tuple(parts))
            rows += sum(part.rows for part in parts)
            rows_read += sum(part.rows for part in to_read)
        is_new = not known or known[-1].tables != loaded
        if is_new:
            store.keep(Snapshot.of(taken_at, loaded))
        newest = store.snapshots()[-1]
    return Loaded(newest, is_new, rows_read, rows - rows_read)


def _read(
    store: Store,
    cursor: Any,
    table: AppTable,
    parts: Sequence[Part],
    to_read: Sequence[Part],
    tell: Tell,
) -> None:
    total, done = sum(part.rows for part in to_read), 0
    for group in groups(parts, to_read):
        writers = {part.name: store.write(table.name, part, table.schema) for part in group}

        def receive(rows: Any, writers: dict[str, PartWriter] = writers) -> None:
            nonlocal done
            split = table.by_month(rows) if len(writers) > 1 else [(*writers, rows)]
            for month, rows_of_month in split:
                writers[month].add(rows_of_month)
            if sum(writer.waiting for writer in writers.values()) > ROWS_IN_MEMORY:
                for writer in writers.values():
                    writer.flush()
            done += rows.num_rows
            tell(table.name, done, total)

        try:
            table.copy(cursor, group, receive)
            for writer in writers.values():
                writer.finish()
        finally:
            for writer in writers.values():
                writer.abandon()


def groups(parts: Sequence[Part], to_read: Sequence[Part]) -> Iterator[list[Part]]:
    """What to read by one statement: months without another between them, and no more than fit."""
    group: list[Part] = []
    for part in parts:
        fits = sum(each.rows for each in group) + part.rows <= ROWS_AT_ONCE
        if group and not (part in to_read and part.is_month and fits):
            yield group
            group = []
        if part in to_read:
            if part.is_month:
                group.append(part)
            else:
                yield [part]
    if group:
        yield group
