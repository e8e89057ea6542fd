"""The web application: one page, its tables as CSV, and sentences for all that goes wrong."""

import functools
import logging
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import csv_files, page, queries, rendering
from dashboard.filters import Filters, parse
from reader.database import Database, Row
from reader.problems import NotFound, Problem, shown

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PAGES_KEPT = 64
SECONDS_KEPT = 30
MEMORY_OF_A_FILE = 1 << 20
CHUNK = 1 << 16

Endpoint = Callable[[Request], Response]

logger = logging.getLogger("dashboard")

LINKS = page.Links(
    page=lambda filters: "./" + filters.address(),
    table=lambda query, filters: f"csv/{query.name}.csv{filters.address()}",
)


@dataclass(frozen=True)
class Written:
    """A page, of which run it is, and since when."""

    run: object
    at: float
    content: bytes


class Pages:
    """Pages as they were written last, until a run changes the marts.

    All readers see the same marts through the same role, so one reader's page is any reader's. A
    page that is old while the overview is the same is given away and written again meanwhile:
    another mart may have moved.
    """

    def __init__(self, database: Database):
        self._database = database
        self._kept: OrderedDict[Filters, Written] = OrderedDict()
        self._writing: dict[Filters, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, filters: Filters) -> bytes:
        """The page; written once for all who ask for it meanwhile.

        Raises:
            Problem: there are no marts, no server, or no such month, provider or type.
        """
        with self._database.snapshot() as snapshot:
            run = _run(page.version(snapshot))
        with self._lock:
            found = self._kept.get(filters)
            writing = self._writing.setdefault(filters, threading.Lock())
        if found and found.run == run:
            if time.monotonic() - found.at > SECONDS_KEPT and writing.acquire(blocking=False):
                threading.Thread(target=self._write_again, args=(filters, writing)).start()
            return found.content
        try:
            with writing:
                with self._lock:
                    found = self._kept.get(filters)
                return found.content if found and found.run == run else self._write(filters)
        finally:
            with self._lock:
                if filters not in self._kept:
                    self._writing.pop(filters, None)

    def _write(self, filters: Filters) -> bytes:
        started = time.monotonic()
        with self._database.snapshot() as snapshot:
            overview = page.version(snapshot)
            content = page.read(snapshot, filters, overview, LINKS)
        written = rendering.render_page(content, LINKS).encode()
        if not content.is_complete:  # perhaps not for long
            return written
        with self._lock:
            self._kept[filters] = Written(_run(overview), started, written)
            self._kept.move_to_end(filters)
            while len(self._kept) > PAGES_KEPT:
                oldest, _ = self._kept.popitem(last=False)
                self._writing.pop(oldest, None)
        return written

    def _write_again(self, filters: Filters, writing: threading.Lock) -> None:
        try:
            self._write(filters)
        except Problem:
            with self._lock:  # whoever asks next is told
                self._kept.pop(filters, None)
        finally:
            writing.release()


def _run(overview: Row) -> object:
    return (overview["as_of"], overview["version"], overview["is_stale"])


class Headers:
    """What every answer says to the browser: keep nothing, load nothing, tell nobody."""

    def __init__(self, app: ASGIApp):
        self._app = app
        self._headers = [
            (b"content-security-policy", rendering.policy().encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"cache-control", b"no-store"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add to its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._headers]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def create(database: Database, hosts: Sequence[str] = LOOPBACK) -> Starlette:
    """The application over one database.

    Args:
        database: where the marts are.
        hosts: names by which the page may be asked for; a stranger's page cannot use its own.
    """
    pages = Pages(database)

    @_never_a_trace
    def show_page(request: Request) -> Response:
        return HTMLResponse(pages.get(parse(request.query_params.multi_items())))

    @_never_a_trace
    def show_table(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in queries.TABLES:
            raise NotFound(f"There is no table '{shown(name)}'.")
        filters = parse(request.query_params.multi_items())
        file = _write_table(database, queries.TABLES[name], filters)
        return StreamingResponse(
            _chunks(file),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{name}.csv"'},
        )

    return Starlette(
        routes=[Route("/", show_page), Route("/csv/{name}.csv", show_table)],
        middleware=[
            Middleware(Headers),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
        ],
        exception_handlers={
            Problem: _say_problem,
            HTTPException: _say_http_error,
        },
    )


def _write_table(database: Database, query: queries.Query, filters: Filters) -> IO[bytes]:
    """All rows of a table in a temporary file, so that a slow reader keeps no connection."""
    file = tempfile.SpooledTemporaryFile(MEMORY_OF_A_FILE)  # noqa: SIM115 (closed by _chunks)
    try:
        with database.snapshot() as snapshot:
            period = page.read_period(snapshot, filters, page.version(snapshot))
            rows = snapshot.stream(query.sql, query.marts, {**period.parameters, "limit": None})
            for lines in csv_files.lines(query.columns, rows):
                file.write(lines.encode())
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


def _answer(request: Request, heading: str, sentence: str, status: int) -> Response:
    if request.url.path.startswith("/csv/"):
        return PlainTextResponse(sentence + "\n", status)
    home = "./" if request.url.path == "/" and status in (400, 404) else None
    return HTMLResponse(rendering.render_message(heading, sentence, home), status)


def _say_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    heading = "No such figures" if error.status in (400, 404) else "No figures now"
    return _answer(request, heading, error.sentence, error.status)


def _say_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = {
        404: "There is nothing at this address: the figures are at /.",
        405: "This page is for reading: ask with GET.",
    }.get(error.status_code, "This request cannot be answered.")
    return _answer(request, "No such page", sentence, error.status_code)


def _never_a_trace(endpoint: Endpoint) -> Endpoint:
    """What nobody thought of is told to the log, and to the reader only that it happened."""

    @functools.wraps(endpoint)
    def answer(request: Request) -> Response:
        try:
            return endpoint(request)
        except Problem:
            raise
        except Exception:
            logger.exception("%s could not be written", request.url.path)
            sentence = "This page could not be written; the terminal in which it runs says why."
            return _answer(request, "No figures now", sentence, 500)

    return answer
