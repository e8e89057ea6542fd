"""One connection, one read-only transaction that sees one moment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import parse_dsn

import reader.database
from inspect_app.problems import Problem

VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
}
SETTINGS = reader.database.SETTINGS.format(timeout="30s")
TABLES_HELP = "set PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE to the app's database"


def find() -> None:
    """Take libpq's variables as they are, else set them from DATABASE_URL.

    Raises:
        Problem: there are neither, or the URL is no address of PostgreSQL.
    """
    if any(os.environ.get(name) for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE")):
        return
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise Problem(f"No database is named: {TABLES_HELP}, or DATABASE_URL.")
    try:
        parts = parse_dsn(url)
    except psycopg2.Error as error:
        raise Problem(
            "DATABASE_URL is no address of PostgreSQL: write it as"
            " postgresql://user:password@host:5432/database."
        ) from error
    os.environ.update(
        {variable: parts[name] for name, variable in VARIABLES.items() if name in parts}
    )


@contextmanager
def reading() -> Iterator[Cursor]:
    """A cursor in a read-only transaction, on a server that can be inspected.

    Raises:
        Problem: there is none, it goes away meanwhile, or its text is not UTF-8.
    """
    with connected("paygen inspect") as connection:
        try:
            _refuse_pooler(connection)
            connection.set_session("REPEATABLE READ", readonly=True)
            with connection.cursor() as cursor:
                cursor.execute(SETTINGS)
                _refuse_encoding(cursor)
                yield cursor
            connection.rollback()
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise Problem(
                f"The connection broke during the inspection ({_reason(error)}), and nothing was"
                " written: run it again."
            ) from error
        except psycopg2.Error as error:
            raise Problem(f"PostgreSQL said: {_reason(error)}. Nothing was written.") from error


@contextmanager
def connected(application: str) -> Iterator[Connection]:
    """A connection by libpq's variables, closed at the end.

    Raises:
        Problem: no server answers.
    """
    connection = _connect(application)
    try:
        yield connection
    finally:
        connection.close()


def _connect(application: str) -> Connection:
    try:
        return psycopg2.connect("", connect_timeout=10, application_name=application)
    except psycopg2.Error as error:
        raise Problem(
            f"PostgreSQL does not answer ({_reason(error)}), and nothing was written:"
            f" {TABLES_HELP}."
        ) from error


def _refuse_pooler(connection: Connection) -> None:
    """Stop where each transaction gets another session, in which a build could not run either."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_catalog.pg_backend_pid()")
        [process] = cursor.fetchone() or [None]
    connection.rollback()
    if connection.info.backend_pid == process:
        return
    # Only here, for it takes a second to import.
    from dbt_postgres_session.pooler import SESSION, compare

    other = _connect("paygen inspect")
    try:
        connection.autocommit = True
        mode = compare(connection, other)
    finally:
        other.close()
    connection.autocommit = False
    if mode != SESSION:
        info = connection.info
        raise Problem(
            f"{info.host}:{info.port} is a pooler in {mode} mode, which gives each {mode} another"
            " session: connect to the server itself or to a pooler in session mode (on Supabase"
            " port 5432, not 6543). Nothing was written."
        )


def _refuse_encoding(cursor: Cursor) -> None:
    cursor.execute("select current_setting('server_encoding'), current_database()")
    encoding, name = cursor.fetchone() or ("", "")
    if encoding != "UTF8":
        raise Problem(
            f"Database {name} is encoded in {encoding}, and paygen reads UTF-8 only: dump it and"
            " restore it into a database made with `create database ... encoding 'UTF8'`. Nothing"
            " was written."
        )


def is_lost(error: psycopg2.Error) -> bool:
    """Whether an error ends the connection, rather than one statement."""
    return isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError) and not (
        isinstance(error, errors.QueryCanceled | errors.LockNotAvailable)
    )


def _reason(error: Exception) -> str:
    return (" ".join(str(error).split()) or "no reason given")[:200].rstrip(".")
