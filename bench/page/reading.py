"""Readers of the page: one who measures, and many at once."""

import gzip
import html
import http.client
import random
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

TIMEOUT_SECONDS = 60
THINK_SECONDS = (1.0, 5.0)  # a person's time on a page, evenly between these
FIRST_PAGE_SHARE = 0.5
NOTICE = re.compile(r'<p class="notice" role="status">(.*?)</p>', re.DOTALL)
# The bench's history ends at a fixed moment, and its last hours may be quiet.
USUAL_NOTICES = ("These figures are old", "No generation was created in the 24 hours")


@dataclass(frozen=True)
class Reading:
    """One request: when it began, its seconds to the first text and to the end, and what it got.

    `error` is a sentence where a person would not have got all figures.
    """

    path: str
    began: float
    first_seconds: float
    seconds: float
    packed_bytes: int
    text: str
    error: str | None

    @property
    def ended(self) -> float:
        """When the last byte was there."""
        return self.began + self.seconds


def read(address: str, path: str = "/") -> Reading:
    """Ask for a path on a connection of its own, as browsers do: compressed."""
    began = time.monotonic()
    first, packed, text, error = 0.0, b"", "", None
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        packed = response.read(1)
        first = time.monotonic() - began
        packed += response.read()
        ended = time.monotonic()
        is_packed = response.getheader("Content-Encoding") == "gzip"
        text = (gzip.decompress(packed) if is_packed else packed).decode()
        if response.status != 200:
            error = f"{path}: {response.status} {_plain(text)[-300:]}"
        elif path.startswith("/?") or path == "/":
            error = _missing(path, text)
    except (OSError, EOFError, ValueError, http.client.HTTPException) as problem:
        ended = time.monotonic()
        error = f"{path}: {type(problem).__name__} {problem}"
    finally:
        connection.close()
    return Reading(path, began, first, ended - began, len(packed), text, error)


def paths(first_page: str) -> list[str]:
    """The first page and others that its form offers: months, providers, types, and both."""
    months = re.findall(r'<option value="(\d{4}-\d\d)"', first_page)
    providers, types = _offered(first_page, "providers-known"), _offered(first_page, "types-known")
    found = ["/"]
    found += [f"/?month={month}" for month in (*months[1:3], *months[12:13])]
    found += [f"/?provider={quote(name)}" for name in providers[:3]]
    found += [f"/?type={quote(name)}" for name in types[:2]]
    if providers and types:
        found.append(f"/?provider={quote(providers[0])}&type={quote(types[0])}")
    if providers and months[1:]:
        found.append(f"/?month={months[1]}&provider={quote(providers[0])}")
    return found


def tables(first_page: str) -> list[str]:
    """The page's tables as CSV."""
    return sorted({"/" + html.unescape(path) for path in re.findall(r'"(csv/[^"]+)"', first_page)})


class Load:
    """People who read at once, each with time to think, from its begin to its end.

    Args:
        address: of the page.
        pages: what they read: the first of them as often as all others together.
        people: how many.
    """

    def __init__(self, address: str, pages: list[str], people: int) -> None:
        self.readings: list[Reading] = []
        self._address, self._pages = address, pages
        self._done = threading.Event()
        self._people = [
            threading.Thread(target=self._read, args=(random.Random(number),), daemon=True)
            for number in range(people)
        ]

    def __enter__(self) -> "Load":
        for person in self._people:
            person.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        for person in self._people:
            person.join()

    def within(self, periods: list[tuple[float, float]]) -> list[Reading]:
        """The requests that were under way at some time of the periods."""
        return [
            reading
            for reading in self.readings
            if any(reading.began < end and reading.ended > start for start, end in periods)
        ]

    def _read(self, choose: random.Random) -> None:
        wait = choose.uniform(0, THINK_SECONDS[1])  # they do not all begin at once
        while not self._done.wait(wait):
            others = self._pages[1:] or self._pages
            is_first = choose.random() < FIRST_PAGE_SHARE
            path = self._pages[0] if is_first else choose.choice(others)
            self.readings.append(read(self._address, path))
            wait = choose.uniform(*THINK_SECONDS)


def seconds_of(readings: Sequence[Reading]) -> list[float]:
    """Seconds to the end of each reading."""
    return [each.seconds for each in readings]


def p95(values: Sequence[float]) -> float:
    """The 95th percentile, by the nearest rank; not a number of none."""
    ordered = sorted(values)
    return ordered[-(-len(ordered) * 95 // 100) - 1] if ordered else float("nan")


def _missing(path: str, text: str) -> str | None:
    if "</html>" not in text:
        return f"{path}: the page is cut off"
    notices = [_plain(notice) for notice in NOTICE.findall(text)]
    unusual = [notice for notice in notices if not notice.startswith(USUAL_NOTICES)]
    return f"{path}: {unusual[0]}" if unusual else None


def _offered(first_page: str, name: str) -> list[str]:
    listed = re.search(rf'<datalist id="{name}">(.*?)</datalist>', first_page, re.DOTALL)
    values = re.findall(r'<option value="([^"]*)"', listed[1]) if listed else []
    return [html.unescape(value) for value in values]


def _plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())
