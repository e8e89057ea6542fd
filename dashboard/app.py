"""The web application: one page, its tables as CSV, and sentences for all that goes wrong."""

import functools
import gzip
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import csv_files, explanation, page, queries, rendering
from dashboard.filters import Filters, parse
from dashboard.kept_pages import KeptPages
from reader.database import Database, Row
from reader.problems import NotFound, Problem, shown

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MEMORY_OF_A_FILE = 1 << 20
CHUNK = 1 << 16

Endpoint = Callable[[Request], Awaitable[Response]]

logger = logging.getLogger("dashboard")


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
    pages = KeptPages(database)

    @_never_a_trace
    async def show_page(request: Request) -> Response:
        filters = parse(request.query_params.multi_items())
        # What is at hand needs no thread, and waits for none.
        packed = pages.at_hand(filters)
        if packed is None:
            packed = await run_in_threadpool(pages.get, filters)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return HTMLResponse(gzip.decompress(packed))
        return HTMLResponse(packed, headers={"content-encoding": "gzip", "vary": "Accept-Encoding"})

    @_never_a_trace
    async def show_table(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in queries.TABLES:
            raise NotFound(f"There is no table '{shown(name)}'.")
        filters = parse(request.query_params.multi_items())
        file = await run_in_threadpool(_write_table, database, queries.TABLES[name], filters)
        return _csv(file, name)

    @_never_a_trace
    async def explain(request: Request) -> Response:
        asked = explanation.parse(request.query_params.multi_items())
        return HTMLResponse(await run_in_threadpool(_explain, database, asked))

    @_never_a_trace
    async def explain_as_file(request: Request) -> Response:
        asked = explanation.parse(request.query_params.multi_items())
        file = await run_in_threadpool(_write_explanation, database, asked)
        return _csv(file, f"{asked.mart}.{asked.figure}")

    return Starlette(
        routes=[
            Route("/", show_page),
            Route("/explain", explain),
            Route("/csv/explain.csv", explain_as_file),
            Route("/csv/{name}.csv", show_table),
        ],
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


def _explain(database: Database, asked: explanation.Asked) -> str:
    with database.snapshot() as snapshot:
        found = explanation.read(snapshot, asked, page.version(snapshot))
    return rendering.render_explanation(found)


def _write_table(database: Database, query: queries.Query, filters: Filters) -> IO[bytes]:
    with database.snapshot() as snapshot:
        period = page.read_period(snapshot, filters, page.version(snapshot))
        rows = snapshot.stream(query.sql, query.marts, {**period.parameters, "limit": None})
        return _written(query.columns, rows)


def _write_explanation(database: Database, asked: explanation.Asked) -> IO[bytes]:
    with database.snapshot() as snapshot:
        rows = explanation.file_rows(snapshot, asked, page.version(snapshot))
        return _written(explanation.FILE, rows)


def _written(columns: Sequence[queries.Column], rows: Iterable[Row]) -> IO[bytes]:
    """All rows of a table in a temporary file, so that a slow reader keeps no connection."""
    file = tempfile.SpooledTemporaryFile(MEMORY_OF_A_FILE)  # noqa: SIM115 (closed by _chunks)
    try:
        for lines in csv_files.lines(columns, rows):
            file.write(lines.encode())
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _csv(file: IO[bytes], name: str) -> Response:
    return StreamingResponse(
        _chunks(file),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}.csv"'},
    )


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


def _answer(
    request: Request,
    heading: str,
    sentence: str,
    status: int,
    headers: Mapping[str, str] | None = None,
) -> Response:
    if request.url.path.startswith("/csv/"):
        return PlainTextResponse(sentence + "\n", status, headers)
    home = "./" if request.url.path in ("/", "/explain") and status in (400, 404) else None
    return HTMLResponse(rendering.render_message(heading, sentence, home), status, headers)


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
    return _answer(request, "No such page", sentence, error.status_code, error.headers)


def _never_a_trace(endpoint: Endpoint) -> Endpoint:
    """What nobody thought of is told to the log, and to the reader only that it happened."""

    @functools.wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Problem:
            raise
        except Exception:
            logger.exception("%s could not be written", request.url.path)
            sentence = "This page could not be written; the terminal in which it runs says why."
            return _answer(request, "No figures now", sentence, 500)

    return answer
