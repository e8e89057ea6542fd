"""Pages that are kept: how old a reader's may be, and who waits for what."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from dashboard import kept_pages
from dashboard.filters import Filters
from dashboard.kept_pages import BEHIND_SECONDS, TRUSTED_SECONDS, KeptPages
from reader.database import Database
from reader.problems import Problem
from tests.app_database import AppDatabase
from tests.dashboard.reading import read_html
from tests.dashboard.serving import READER, Page, environment, page_of

SLACK_SECONDS = 5  # of a machine that does other things too


class Runs:
    """Runs of the marts, as far as a page sees them: another moment, and another figure."""

    def __init__(self, database: AppDatabase) -> None:
        self._database, self._number = database, 0

    def run(self) -> int:
        """End another run, which finds one generation more in flight."""
        self._number += 1
        self._database.execute(
            "update analytics.dashboard_overview set as_of = as_of + interval '1 minute',"
            " in_flight_generations = in_flight_generations + 1"
        )
        return self._number

    def undo(self) -> None:
        """Leave the marts as they were."""
        self._database.execute(
            f"update analytics.dashboard_overview set as_of = as_of - interval '{self._number}"
            f" minute', in_flight_generations = in_flight_generations - {self._number}"
        )

    def of(self, html: str) -> int:
        """The number of the run whose page this is; its moment and its figure are of the same."""
        shown = read_html(html)
        in_flight = int(shown["cards"]["In Flight Now"]["value"])
        moments = self._database.query(
            "select as_of, in_flight_generations as found from analytics.dashboard_overview"
        )[0]
        behind = moments["found"] - in_flight
        told = f"Built as of 4 Dec 2024 15:{30 + self._number - behind} UTC."
        assert told in html
        return self._number - behind


@pytest.fixture
def runs(demo_database: AppDatabase) -> Iterator[Runs]:
    runs = Runs(demo_database)
    yield runs
    runs.undo()


@pytest.fixture
def pages(demo_database: AppDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptPages]:
    """Without its watcher, whose work a test does itself."""
    for name, value in environment(demo_database).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(KeptPages, "_watch", lambda _: None)
    database = Database()
    yield KeptPages(database)
    database.close()


def html(packed: bytes | None) -> str:
    assert packed is not None
    return gzip.decompress(packed).decode()


def test_readers_get_the_page_before_until_the_new_one_is_written(
    runs: Runs, pages: KeptPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pages.at_hand(Filters()) is None
    assert runs.of(html(pages.get(Filters()))) == 0
    runs.run()
    assert runs.of(html(pages.at_hand(Filters()))) == 0
    assert runs.of(html(pages.get(Filters()))) == 0, "whoever looks does not wait either"
    assert pages._due() == [Filters()]
    pages._write_due(pages._due())
    assert pages._due() == []
    assert runs.of(html(pages.at_hand(Filters()))) == 1

    runs.run()
    pages._look()
    monkeypatch.setattr(kept_pages, "BEHIND_SECONDS", 0)
    assert pages.at_hand(Filters()) is None
    assert runs.of(html(pages.get(Filters()))) == 2, "long after a run its figures are waited for"


def test_who_comes_after_a_pause_gets_the_newest_run(
    runs: Runs, pages: KeptPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runs.of(html(pages.get(Filters()))) == 0
    runs.run()
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + BEHIND_SECONDS + 1)
    assert pages.at_hand(Filters()) is None
    assert runs.of(html(pages.get(Filters()))) == 1


def test_no_page_is_older_than_a_minute(pages: KeptPages, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pages.get(Filters())
    assert pages.get(Filters()) is first
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + kept_pages.KEPT_SECONDS + 1)
    assert pages._due() == [Filters()], "it was read since it was written"
    assert pages.get(Filters()) is first
    monkeypatch.setattr(time, "monotonic", lambda: clock() + kept_pages.OLD_SECONDS + 1)
    assert pages.at_hand(Filters()) is None
    assert pages.get(Filters()) is not first


def test_what_is_read_most_is_written_first_and_what_nobody_reads_is_forgotten(
    runs: Runs, pages: KeptPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    november = Filters(date(2024, 11, 1))
    for filters in (Filters(), november, november):
        pages.get(filters)
    runs.run()
    pages._look()
    assert pages._due() == [november, Filters()]
    pages._write_due([november])
    assert pages._due() == [Filters()]
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + kept_pages.WATCHED_SECONDS + 1)
    assert pages._due() == []
    assert not pages._kept
    assert not pages._writing


def test_pages_that_are_written_together_say_what_each_says_alone(
    runs: Runs, pages: KeptPages
) -> None:
    """What they share is read once, and nothing else is shared."""
    all_filters = [
        Filters(),
        Filters(date(2024, 11, 1)),
        Filters(provider="seedream"),
        Filters(type="image_gen"),
        Filters(date(2024, 10, 1), "wan", "image_gen"),
    ]
    for filters in all_filters:
        pages.get(filters)
    runs.run()
    pages._look()
    pages._write_due(pages._due())
    for filters in all_filters:
        together = html(pages.at_hand(filters))
        assert runs.of(together) == 1
        assert html(pages._write(filters)) == together


def test_a_page_that_cannot_be_written_anew_is_told_to_the_next_reader(
    runs: Runs, pages: KeptPages, demo_database: AppDatabase
) -> None:
    pages.get(Filters())
    runs.run()
    pages._look()
    demo_database.execute(f"revoke usage on schema analytics from {READER}")
    try:
        pages._write_due(pages._due())
        with pytest.raises(Problem, match="permission denied for schema analytics"):
            pages.get(Filters())
    finally:
        demo_database.execute(f"grant usage on schema analytics to {READER}")
    assert runs.of(html(pages.get(Filters()))) == 1


def test_many_who_ask_for_one_page_have_it_written_once(
    pages: KeptPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    write = pages._write
    monkeypatch.setattr(pages, "_write", lambda filters: written.append(1) or write(filters))
    barrier = threading.Barrier(8)

    def read(_: int) -> bytes:
        barrier.wait()
        return pages.get(Filters())

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(read, range(8)))
    assert len(answers) == len(written) == 1


def within(seconds: float, condition: Callable[[], bool]) -> float:
    """Seconds until something holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)
    return time.monotonic() - began


def test_a_run_is_in_every_page_that_is_read_within_the_bound(
    runs: Runs, demo_database: AppDatabase
) -> None:
    """As served: the watcher sees runs, and a lost right, behind the readers' backs."""
    paths = ["/", "/?month=2024-11"]
    with page_of(demo_database) as page:
        for path in paths:
            assert runs.of(page.get(path).text) == 0
        for number in (1, 2):
            runs.run()
            took = within(
                BEHIND_SECONDS + SLACK_SECONDS,
                lambda number=number: all(runs.of(page.get(path).text) == number for path in paths),
            )
            print(f"a run was in {len(paths)} pages after {took:.1f} s")
        demo_database.execute(f"revoke usage on schema analytics from {READER}")
        try:
            within(TRUSTED_SECONDS + SLACK_SECONDS, lambda: page.get().status == 503)
            assert "permission denied for schema analytics" in page.get().text
        finally:
            demo_database.execute(f"grant usage on schema analytics to {READER}")
        assert page.get().status == 200


def test_packed_and_plain_are_the_same_page(demo_page: Page) -> None:
    plain = demo_page.get("/", **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "</html>" in plain.text
