"""What the bench takes for an error, and how it sums up."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.page import reading

WHOLE = "<html><h1>November</h1></html>"
ANSWERS = {
    "/": (200, WHOLE),
    "/?old": (200, f'<p class="notice" role="status">These figures are old: x.</p>{WHOLE}'),
    "/?part": (200, f'<p class="notice" role="status">a.b was built by an older</p>{WHOLE}'),
    "/?cut": (200, "<html><h1>November"),
    "/?down": (503, "<p>PostgreSQL does not answer</p>"),
}


class Handler(BaseHTTPRequestHandler):
    """Answers from a table."""

    def do_GET(self) -> None:
        """Answer, or hang up."""
        if self.path not in ANSWERS:
            return
        status, text = ANSWERS[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/", None),
        ("/?old", None),
        ("/?part", "a.b was built by an older"),
        ("/?cut", "cut off"),
        ("/?down", "503 PostgreSQL does not answer"),
        ("/?gone", "RemoteDisconnected"),
    ],
)
def test_a_reader_without_all_figures_is_an_error(
    address: str, path: str, error: str | None
) -> None:
    found = reading.read(address, path)
    assert found.first_seconds <= found.seconds
    if error is None:
        assert found.error is None
    else:
        assert error in str(found.error)


def test_requests_belong_to_the_periods_they_touch() -> None:
    load = reading.Load("", ["/"], 0)
    load.readings = [
        reading.Reading("/", began, 0, 2, 0, "", None) for began in (0.0, 9.0, 11.0, 14.0)
    ]
    assert [each.began for each in load.within([(10, 12)])] == [9.0, 11.0]


def test_p95_is_the_nearest_rank() -> None:
    assert reading.p95(range(1, 101)) == 95
    assert reading.p95([3.0, 1.0]) == 3.0
