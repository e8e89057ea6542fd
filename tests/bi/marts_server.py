"""A server with all marts, as a BI tool finds one: TCP, TLS, and a password for the reader."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from local_postgres import server as embedded
from local_postgres.databases import READER_SCRIPT
from tests.app_database import AppDatabase
from tests.conftest import make_database
from tests.dashboard.databases import AS_OF, load_demo
from tests.dashboard.serving import READER
from tests.setup.tls import make_certificate, relay

# Each letter means something in an address.
PASSWORD = "r/e@d:e?r %s'"


@dataclass(frozen=True)
class Marts:
    """The marts, and the address by which the reader finds them."""

    database: AppDatabase
    address: str

    def names(self) -> list[str]:
        """All marts."""
        rows = self.database.query(
            "select relname from pg_class where relnamespace = 'analytics'::regnamespace"
            " and relkind in ('r', 'v', 'm', 'p') order by relname"
        )
        return [row["relname"] for row in rows]


@contextmanager
def served() -> Iterator[Marts]:
    """Build all marts of a small history, nightly ones and Python models too, and serve them."""
    folder = Path(tempfile.mkdtemp(prefix="paygen-bi-"))
    try:
        certificate, key = make_certificate(folder)
        server = embedded.start(folder / "server")
        try:
            database = make_database(server)
            load_demo(database, 1, generations=600)
            _build(database)
            _ask_for_a_password(database, folder / "server" / "pg_hba.conf")
            socket = f"{server.host}/.s.PGSQL.{server.port}"
            with relay(socket, certificate, key) as port:
                yield Marts(
                    database,
                    f"postgresql+psycopg2://{READER}:{quote(PASSWORD, safe='')}"
                    f"@127.0.0.1:{port}/{database.name}"
                    f"?sslmode=verify-full&sslrootcert={quote(str(certificate))}",
                )
        finally:
            embedded.stop(folder / "server")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _build(database: AppDatabase) -> None:
    database.execute(READER_SCRIPT.read_text())
    variables = {"as_of": AS_OF.isoformat(), "reader_roles": [READER]}
    database.dbt("seed", variables=variables)
    database.dbt("run", variables=variables, python_models=True)


def _ask_for_a_password(database: AppDatabase, rules: Path) -> None:
    database.execute(f"alter role {READER} password %s", [PASSWORD])
    rules.write_text(f"local all {database.server.user} trust\nlocal all all scram-sha-256\n")
    database.execute("select pg_reload_conf()")
