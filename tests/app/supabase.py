"""What stands in for Supabase's HTTP interface: who a token is of, and that user's profile."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# Account type by user; the token of a user is `token-of-<user>`.
ACCOUNT_TYPES = {
    "root": "admin",
    "capital": "ADMIN",
    "several": ["creator", "admin"],
    "user": "user",
    "near": "administrator",
    "none": None,
}


@dataclass
class Supabase:
    """The running interface: what it was asked, and whether it fails."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    is_down: bool = False

    def answer(self, path: str, token: str) -> tuple[int, object]:
        """Status and body for a request."""
        url = urlsplit(path)
        self.asked.append((url.path, token))
        user = token.removeprefix("Bearer token-of-")
        if self.is_down:
            return 503, {"message": "down"}
        if url.path == "/auth/v1/user":
            if user in (*ACCOUNT_TYPES, "stranger"):
                return 200, {"id": user, "aud": "authenticated", "app_metadata": {}}
            return 403, {"code": 403, "error_code": "bad_jwt", "msg": "invalid JWT"}
        if url.path == "/rest/v1/users_profile":
            # Its policies show a user the own row alone.
            wanted = parse_qs(url.query)["user_id"] == [f"eq.{user}"]
            is_known = wanted and user in ACCOUNT_TYPES
            return 200, [{"account_type": ACCOUNT_TYPES[user]}] if is_known else []
        return 404, {"message": "no such path"}


@contextmanager
def running(port: int) -> Iterator[Supabase]:
    """Answer on a port of this machine until the block ends."""
    supabase = Supabase()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = supabase.answer(self.path, self.headers.get("authorization", ""))
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield supabase
    finally:
        server.shutdown()
        server.server_close()
