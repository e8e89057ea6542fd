"""How long each query of a page takes when it is written anew."""

import time

from dashboard import page, queries
from dashboard.filters import Filters
from dashboard.kept_pages import LINKS
from dashboard.queries import Query
from reader.database import Database, Row, Snapshot

NAMES = {query.sql: query.name for query in vars(queries).values() if isinstance(query, Query)}


class TimedSnapshot:
    """A snapshot that notes the seconds of each named query."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.schema = snapshot.schema
        self.seconds: dict[str, float] = {}

    def use_timezone(self, zone: str) -> None:
        """As the snapshot does."""
        self._snapshot.use_timezone(zone)

    def rows(self, text: str, marts: tuple[str, ...], parameters: Row) -> list[Row]:
        """As the snapshot does, and note how long it took."""
        began = time.monotonic()
        try:
            return self._snapshot.rows(text, marts, parameters)
        finally:
            name = NAMES.get(text, "?")
            self.seconds[name] = self.seconds.get(name, 0) + time.monotonic() - began


def seconds_by_query(database: Database, filters: Filters) -> dict[str, float]:
    """The seconds of all queries of one page, read once before, the slowest first."""
    for _ in range(2):
        with database.snapshot() as snapshot:
            timed = TimedSnapshot(snapshot)
            page.read(timed, filters, page.version(timed), LINKS)
    return dict(sorted(timed.seconds.items(), key=lambda each: -each[1]))
