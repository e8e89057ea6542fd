"""A real HTTP server of this machine that keeps what it is sent."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "hush-8f3a1c"


@dataclass
class Receiver:
    """What came to which path, and what it answers there."""

    port: int = 0
    came: list[tuple[str, Any]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    delay: float = 0

    def channel(self, path: str = "one") -> str:
        """The address of a channel, as apprise writes it; the path holds a secret."""
        return f"json://127.0.0.1:{self.port}/{path}/{SECRET}"

    def address(self, path: str = "ping") -> str:
        """An address to call."""
        return f"http://127.0.0.1:{self.port}/{path}/{SECRET}"

    def take(self, path: str = "one") -> list[Any]:
        """What came to a path since it was last asked."""
        found = [body for where, body in self.came if where == path]
        self.came[:] = [each for each in self.came if each[0] != path]
        return found


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port, until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(json.loads(body))

        def do_GET(self) -> None:
            self._answer(None)

        def _answer(self, body: Any) -> None:
            path = self.path.split("/")[1]
            time.sleep(receiver.delay)
            is_broken = path in receiver.broken
            if not is_broken:
                receiver.came.append((path, body))
            self.send_response(500 if is_broken else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
