"""Pages as they were written last, and written anew behind their readers' backs.

All readers see the same marts through the same role, so one reader's page is any reader's.
"""

import gzip
import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from dashboard import page, rendering
from dashboard.filters import Filters
from reader.database import Database, OnceRead, Row, Snapshot
from reader.problems import Problem

LOOK_SECONDS = 1.0  # from one look for a new run to the next, while somebody reads
TRUSTED_SECONDS = 3.0  # a look that is older is no answer: the reader looks
BEHIND_SECONDS = 10.0  # a run that ended longer ago is in every page
KEPT_SECONDS = 30.0  # after which a page that is read is written anew without a run, too
OLD_SECONDS = 60.0  # no page that was written longer ago is given away
WATCHED_SECONDS = 120.0  # after the last reader
PAGES_KEPT = 64

LINKS = page.Links(
    page=lambda filters: filters.address() or "./",
    table=lambda query, filters: f"csv/{query.name}.csv{filters.address()}",
    cell=lambda asked: asked.address(),
)

logger = logging.getLogger("dashboard")


@dataclass
class Written:
    """A page, packed by gzip: of which run, of when, and how often and when last it was read."""

    packed: bytes
    run: object
    at: float
    read_at: float
    reads: int = 0


class KeptPages:
    """Gives a page away as it was written last, if that is recent enough.

    A watcher looks every second for a new run while somebody reads. Then it writes the pages that
    were read lately anew, one after another, and readers get the ones before meanwhile. One waits
    only where there is no page, where the run is seen for longer than BEHIND_SECONDS, and where the
    watcher cannot look: then the reader looks, and is told what is wrong.
    """

    def __init__(self, database: Database):
        self._database = database
        self._kept: OrderedDict[Filters, Written] = OrderedDict()
        self._writing: dict[Filters, threading.Lock] = {}
        self._lock = threading.Lock()  # over all that follows, and never while the marts are read
        self._run: object = None
        self._looked_at = self._changed_at = self._read_at = float("-inf")
        self._watcher: threading.Thread | None = None

    def at_hand(self, filters: Filters) -> bytes | None:
        """The page, packed by gzip, if it can be given without a look at the marts."""
        now = time.monotonic()
        with self._lock:
            found = self._kept.get(filters)
            if found is None or not self._is_good(found, now):
                return None
            found.read_at = self._read_at = now
            found.reads += 1
            return found.packed

    def get(self, filters: Filters) -> bytes:
        """The page, packed by gzip; written once for all who ask for it meanwhile.

        Raises:
            Problem: there are no marts, no server, or no such month, provider or type.
        """
        run = self._look()
        self._watch()
        packed = self.at_hand(filters)
        if packed is not None:
            return packed
        with self._lock:
            writing = self._writing.setdefault(filters, threading.Lock())
        try:
            with writing:
                with self._lock:
                    found = self._kept.get(filters)
                    if found and found.run in (run, self._run) and not _is_old(found):
                        return found.packed
                return self._write(filters)
        finally:
            with self._lock:
                if filters not in self._kept:
                    self._writing.pop(filters, None)

    def _is_good(self, found: Written, now: float) -> bool:
        return (
            now - self._looked_at <= TRUSTED_SECONDS
            and (found.run == self._run or now - self._changed_at <= BEHIND_SECONDS)
            and not _is_old(found)
        )

    def _look(self) -> object:
        """Which run the marts are of now."""
        started = time.monotonic()
        with self._database.snapshot() as snapshot:
            run = _run(page.version(snapshot))
        self._note(run, started)
        return run

    def _note(self, run: object, looked_at: float) -> None:
        with self._lock:
            if looked_at < self._looked_at:  # somebody looked later
                return
            if run != self._run:
                self._run, self._changed_at = run, self._looked_at  # or later, nobody knows
            self._looked_at = looked_at

    def _write(self, filters: Filters) -> bytes:
        started = time.monotonic()
        with self._database.snapshot() as snapshot:
            return self._write_from(snapshot, filters, started)

    def _write_from(self, snapshot: Snapshot, filters: Filters, started: float) -> bytes:
        overview = page.version(snapshot)
        content = page.read(snapshot, filters, overview, LINKS)
        run = _run(overview)
        self._note(run, started)
        packed = gzip.compress(rendering.render_page(content, LINKS).encode(), 6)
        with self._lock:
            if content.is_complete:  # perhaps not for long, where it is not
                before = self._kept.get(filters)
                read_at = before.read_at if before else started
                self._kept[filters] = Written(packed, run, started, read_at)
                self._kept.move_to_end(filters)
            else:
                self._kept.pop(filters, None)
            while len(self._kept) > PAGES_KEPT:
                self._forget(next(iter(self._kept)))
        return packed

    def _forget(self, filters: Filters) -> None:
        self._kept.pop(filters, None)
        self._writing.pop(filters, None)

    # ------------------------------------------------------------------------------- the watcher

    def _watch(self) -> None:
        """See that somebody watches, from now until nobody reads any more."""
        with self._lock:
            self._read_at = time.monotonic()
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._keep_up, daemon=True)
                self._watcher.start()

    def _keep_up(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            with self._lock:
                if time.monotonic() - self._read_at > WATCHED_SECONDS:
                    self._watcher = None
                    return
            try:
                self._look()
                self._write_due(self._due())
            except Problem:  # whoever asks next is told
                self._distrust()
            except Exception:
                logger.exception("the marts could not be watched")
                self._distrust()

    def _distrust(self) -> None:
        with self._lock:
            self._looked_at = float("-inf")

    def _due(self) -> list[Filters]:
        """The pages to be written anew, the most read first; those nobody reads are forgotten."""
        now = time.monotonic()
        due: dict[Filters, int] = {}
        with self._lock:
            for filters, found in list(self._kept.items()):
                if found.run == self._run and now - found.at <= KEPT_SECONDS:
                    continue
                if now - found.read_at > WATCHED_SECONDS:
                    self._forget(filters)
                elif found.run != self._run or found.read_at > found.at:
                    due[filters] = found.reads
        return sorted(due, key=lambda filters: due[filters], reverse=True)

    def _write_due(self, due: list[Filters]) -> None:
        """Write pages of one snapshot, in which what they share is read once."""
        if not due:
            return
        started = time.monotonic()
        with self._database.snapshot() as snapshot:
            shared = OnceRead(snapshot)
            for filters in due:
                with self._lock:
                    writing = self._writing.setdefault(filters, threading.Lock())
                with writing:
                    found = self._kept.get(filters)
                    if found and found.at > started:  # a reader did not wait
                        continue
                    try:
                        self._write_from(shared, filters, started)
                    except Exception as error:  # whoever asks for it next is told
                        with self._lock:
                            self._forget(filters)
                        if not isinstance(error, Problem):
                            raise


def _is_old(found: Written) -> bool:
    return time.monotonic() - found.at > OLD_SECONDS


def _run(overview: Row) -> object:
    return (overview["as_of"], overview["version"], overview["is_stale"])
