"""Superset's settings for `make test-bi`: no caches, and no connection to another machine."""

import ipaddress
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

HOME = Path(os.environ["SUPERSET_HOME"])
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME / 'superset.db'}"
# What names a content host of others; nobody opens the pages here.
TALISMAN_ENABLED = False
# The server must refuse what is not for the reader: Superset lets each statement through.
DISALLOWED_SQL_FUNCTIONS: dict[str, set[str]] = {}
DISALLOWED_SQL_TABLES: dict[str, set[str]] = {}
OUTSIDE = HOME / "outside.log"


def _is_here(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_outside(event: str, arguments: tuple) -> None:
    """Refuse, and write down, each name that is looked up and each address that is called."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if not _is_here(host):
        with OUTSIDE.open("a") as file:
            file.write(f"{event} {host}\n")
        raise ConnectionRefusedError(f"{host} is another machine")


sys.addaudithook(_refuse_outside)
# Each process shows that it is watched: the log has this name, and should have no other.
with suppress(ConnectionRefusedError):
    socket.getaddrinfo("paygen.invalid", 443)
