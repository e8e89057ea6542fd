"""Connect to a database, and create an app's database with its roles."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from local_postgres.server import Server

PROJECT = Path(__file__).resolve().parents[1]
BUILD_ROLE = "paygen"  # may read the four tables and owns the analytics schemas, nothing more
READER_ROLE = "paygen_reader"
NAME = "app"
NEW_NAME = "app_loading"
READER_SCRIPT = PROJECT / "setup" / "reader_role.sql"
# Only the app's own parts stand here: what our roles need is production's.
SCRIPTS = (
    PROJECT / "local_postgres" / "http_roles.sql",
    PROJECT / "local_postgres" / "app_schema.sql",
    PROJECT / "setup" / "roles.sql",
    PROJECT / "setup" / "build_role.sql",
    READER_SCRIPT,
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


def environment(server: Server, database: str = NAME, user: str = BUILD_ROLE) -> dict[str, str]:
    """libpq's variables for a database, whatever the caller's own point to."""
    return {
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": user,
        "PGPASSWORD": "",
        "PGDATABASE": database,
        "PGSSLMODE": "prefer",
    }


def create_database(server: Server, name: str, options: str = "") -> None:
    """Create an empty database; one of the same name is dropped first, whoever uses it.

    `options` are those of `create database`.
    """
    with connect(server, "postgres") as connection, connection.cursor() as cursor:
        cursor.execute(f"drop database if exists {name} with (force)")
        cursor.execute(f"create database {name} {options}")


def create_app_database(server: Server, name: str) -> None:
    """Create an app's database, its tables empty, with the roles and grants of production."""
    create_database(server, name)
    with connect(server, name) as connection, connection.cursor() as cursor:
        for script in SCRIPTS:
            cursor.execute(script.read_text())


@contextmanager
def new_database(server: Server) -> Iterator[Connection]:
    """A connection to an empty app's database that becomes `app` when the block ends well.

    After an error or a kill the former `app` is as it was.
    """
    create_app_database(server, NEW_NAME)
    with connect(server, NEW_NAME) as connection:
        yield connection
    with connect(server, "postgres") as maintenance, maintenance.cursor() as cursor:
        cursor.execute(f"drop database if exists {NAME} with (force)")
        cursor.execute(f"alter database {NEW_NAME} rename to {NAME}")
