"""Tell a pooler that lends each transaction another session from one that lends a client its own.

Behind PgBouncer and its like the process id that libpq was told at the start is not the server's.
Only then a second connection is opened, and both ask which server process they are on:

- A client that keeps its session always finds the same process, and nobody else ever does.
- A pool of transactions that hands out the session used last gives the second connection the
  session of the first. One that takes turns gives the first another one on its next question, or,
  where it has only one to give, gives that to both.

The rounds are for pools that other clients use at the same time.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg2
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.invocation import get_invocation_id

SESSION, TRANSACTION, STATEMENT = "session", "transaction", "statement"
ROUNDS = 3

# The answer for each server, asked once an invocation.
_known: dict[tuple[Any, ...], str] = {}


def mode(connection: Connection, open_: Callable[[Connection], Connection]) -> str:
    """How long a client of this new connection keeps its session.

    Args:
        connection: just opened, nothing was run on it.
        open_: opens another.
    """
    key = _key(connection.credentials)
    if key not in _known:
        for old in [old for old in _known if old[0] != key[0]]:
            _known.pop(old, None)
        _known[key] = _find_mode(connection, open_)
    return _known[key]


def known_mode(connection: Connection) -> str | None:
    """What `mode` found for the server of this connection, in this invocation."""
    return _known.get(_key(connection.credentials))


def refusal(credentials: Any) -> str | None:
    """The sentence for a run whose sessions a pooler shares; a connection was opened before."""
    found = _known.get(_key(credentials), SESSION)
    if found == SESSION:
        return None
    return (
        f"{credentials.host}:{credentials.port} is a pooler in {found} mode, which gives each"
        f" {found} another session: connect to the server itself or to a pooler in session mode"
        " (on Supabase port 5432, not 6543)."
    )


def _key(credentials: Any) -> tuple[Any, ...]:
    where = (credentials.host, credentials.port, credentials.database, credentials.user)
    return (get_invocation_id(), *where)


def _find_mode(connection: Connection, open_: Callable[[Connection], Connection]) -> str:
    handle = connection.handle
    handle.commit()
    autocommit, handle.autocommit = handle.autocommit, True
    try:
        if handle.info.backend_pid == _process(handle):
            return SESSION
        second = open_(_twin(connection)).handle
        try:
            return compare(handle, second)
        finally:
            second.close()
    finally:
        if not handle.closed:
            handle.autocommit = autocommit


def compare(first: Any, second: Any) -> str:
    """How long a client keeps its session, told by two connections in autocommit."""
    try:
        second.autocommit = True
        _process(second)
    except psycopg2.Error as error:
        raise DbtRuntimeError(
            f"The pooler gives no second session ({' '.join(str(error).split())}): raise its pool"
            " size to two more than the profile's threads."
        ) from error
    second.autocommit = False
    try:
        _process(second)
        second.rollback()
    except psycopg2.Error:  # a pool of statements ends the connection at a `begin`
        return STATEMENT
    own = _process(first)
    for _ in range(ROUNDS):
        if own != _process(first) or own == _process(second) or own != _process(first):
            return TRANSACTION
        second.rollback()
    return SESSION


def _twin(connection: Connection) -> Connection:
    return Connection(
        type=connection.type,
        name=connection.name,
        state=ConnectionState.INIT,
        credentials=replace(connection.credentials, role=None),
    )


def _process(handle: Any) -> int:
    with handle.cursor() as cursor:
        cursor.execute("select pg_catalog.pg_backend_pid()")
        process: int = cursor.fetchone()[0]
    return process
