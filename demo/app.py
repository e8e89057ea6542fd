"""The demo's database: made anew beside the old one, which it then replaces."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from demo.server import Server

NAME = "app"
NEW_NAME = "app_loading"
PROJECT = Path(__file__).resolve().parents[1]
# Only the app's own parts are the demo's: what the build role needs is production's.
SCRIPTS = (
    PROJECT / "demo" / "http_roles.sql",
    PROJECT / "demo" / "app_schema.sql",
    PROJECT / "setup" / "roles.sql",
    PROJECT / "setup" / "build_role.sql",
    PROJECT / "demo" / "reader_role.sql",
)


@contextmanager
def connect(server: Server, database: str, user: str | None = None) -> Iterator[Connection]:
    """An autocommit connection, as the superuser unless told otherwise."""
    connection = psycopg2.connect(
        host=server.host, port=server.port, user=user or server.user, dbname=database
    )
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def new_database(server: Server) -> Iterator[Connection]:
    """A connection to an empty app's database that becomes `app` when the block ends well.

    After an error or a kill the former `app` is as it was.
    """
    with connect(server, "postgres") as maintenance, maintenance.cursor() as cursor:
        cursor.execute(f"drop database if exists {NEW_NAME} with (force)")
        cursor.execute(f"create database {NEW_NAME}")
        with connect(server, NEW_NAME) as connection:
            with connection.cursor() as script_cursor:
                for script in SCRIPTS:
                    script_cursor.execute(script.read_text())
            yield connection
        cursor.execute(f"drop database if exists {NAME} with (force)")
        cursor.execute(f"alter database {NEW_NAME} rename to {NAME}")
