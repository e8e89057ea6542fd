"""`python -m dashboard`: the marts as a page on this machine, or as files with --static."""

import argparse
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import psycopg2

from dashboard import app, static_files
from reader.database import Database
from reader.libpq import use_demo_by_default
from reader.options import add_port, add_schema
from reader.problems import Problem, shown

PORT = 8421
# Between threads: a reader's answer is not to wait long for a page that is written meanwhile.
SWITCH_SECONDS = 0.0005


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page or write it; answer the exit code: 0, or 1 after a sentence."""
    options = _parser().parse_args(arguments)
    try:
        use_demo_by_default()
        database = Database(options.schema)
        if options.static is not None:
            names = static_files.write(database, options.static)
            print(f"{len(names)} pages written; open {options.static / names[0]}")
        else:
            _serve(database, options)
    except (Problem, psycopg2.Error, OSError) as error:
        print(shown(str(error), 400), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _serve(database: Database, options: argparse.Namespace) -> None:
    import uvicorn  # not needed for files

    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
        listener.listen(128)
    except OSError as error:
        raise Problem(
            f"{options.host}:{options.port} cannot be used ({error.strerror}): choose another with"
            " --port."
        ) from error
    sys.setswitchinterval(SWITCH_SECONDS)
    port = listener.getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    address = f"http://{host}:{port}/"
    hosts = [*app.LOOPBACK, host, *options.allowed_host]

    class Server(uvicorn.Server):
        """Says where it is once it answers, and ends quietly from then on."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(f"the page is at {address}, until ctrl-c ends it", flush=True)

    server = Server(
        uvicorn.Config(
            app.create(database, hosts),
            access_log=False,
            log_level="warning",
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
        )
    )
    if options.browser and _has_screen():
        threading.Timer(0.5, webbrowser.open, [address]).start()
    try:
        server.run(sockets=[listener])
    finally:
        listener.close()
        database.close()


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dashboard", description=__doc__)
    parser.add_argument(
        "--static", type=Path, metavar="DIR", help="write the pages as files, then exit"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add_port(parser, PORT, "the page")
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which a proxy asks for the page, beside loopback's",
    )
    add_schema(parser)
    parser.add_argument(
        "--no-browser", dest="browser", action="store_false", help="do not open a browser"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
