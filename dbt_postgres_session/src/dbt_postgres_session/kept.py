"""Sessions that one node of an invocation is done with, kept for the next.

dbt-postgres opens a session for each node and each test, a thousand in a nightly run. To start one
takes longer than most of their queries: a process of the server's, TLS and a password, and the
catalogue read anew. One that was kept is as a new one is: all of its state was discarded.
"""

from contextlib import suppress
from typing import Any

import psycopg2
from dbt.adapters.contracts.connection import Connection, ConnectionState

from dbt_postgres_session import pin

# For each invocation's object of credentials, which is held here so that its id stays its own.
_kept: dict[int, tuple[Any, list[Any]]] = {}


def keep(connection: Connection) -> bool:
    """Keep the session of a connection that is done with; False where it is to be closed.

    There are never more of them than the invocation had open at the same time.
    """
    handle = connection.handle if connection.state == ConnectionState.OPEN else None
    if not isinstance(handle, psycopg2.extensions.connection) or handle.closed:
        return False
    try:
        handle.rollback()
        handle.autocommit = True
        with handle.cursor() as cursor:
            cursor.execute("discard all")
    except psycopg2.Error:
        return False
    connection.handle = None
    connection.state = ConnectionState.CLOSED
    connection.transaction_open = False
    credentials = connection.credentials
    _kept.setdefault(id(credentials), (credentials, []))[1].append(handle)
    return True


def take(connection: Connection) -> bool:
    """Give a connection a session that was kept, pinned; False where none is left alive."""
    credentials = connection.credentials
    _, handles = _kept.get(id(credentials), (None, []))
    while True:
        try:
            handle = handles.pop()
        except IndexError:
            return False
        try:
            if credentials.role:
                with handle.cursor() as cursor:
                    cursor.execute(f"set role {credentials.role}")
            handle.autocommit = bool(credentials.autocommit)
            pin.pin_session(handle)
        except psycopg2.Error:  # the server or a pooler has ended it
            _close(handle)
        else:
            connection.handle = handle
            connection.state = ConnectionState.OPEN
            return True


def end(credentials: Any) -> None:
    """Close what an invocation has kept."""
    _, handles = _kept.pop(id(credentials), (None, []))
    for handle in handles:
        _close(handle)


def _close(handle: Any) -> None:
    with suppress(psycopg2.Error):
        handle.close()
