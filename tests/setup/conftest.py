"""A clone as a new user has it, and servers as production's: TCP, TLS, passwords, no superuser."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from local_postgres import server as embedded
from tests.app_database import PROJECT
from tests.setup.tls import make_certificate, relay

OWNER = "app_owner"
# As Supabase's `postgres` has them.
OWNER_ATTRIBUTES = "nosuperuser login createrole createdb bypassrls replication"


def clone_to(folder: Path) -> Path:
    """The project's files, as git has them, and nothing that was installed but uv."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    (folder / ".tools").symlink_to(PROJECT / ".tools")
    return folder


@pytest.fixture(scope="package")
def clone() -> Iterator[Path]:
    """A fresh clone in a folder whose path has blanks and a quote."""
    with tempfile.TemporaryDirectory(prefix="paygen clone's ") as folder:
        yield clone_to(Path(folder) / "pay gen")


@dataclass(frozen=True)
class Production:
    """A server over TCP and TLS, the app's owner on it, and who may do anything there."""

    port: int
    version: int
    certificate: Path
    superuser: str  # a DSN

    def connect(self, user: str, password: str, **options: str) -> psycopg2.extensions.connection:
        """As libpq connects with `PGSSLMODE=verify-full`."""
        return psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            dbname="postgres",
            sslmode="verify-full",
            sslrootcert=str(self.certificate),
            **options,
        )


@pytest.fixture(
    scope="module",
    params=["18", *(pytest.param(name, marks=pytest.mark.long) for name in ("16", "debian"))],
)
def production(request: pytest.FixtureRequest) -> Iterator[Production]:
    """Embedded servers behind a relay that ends TLS, and Debian's own server, where it is there."""
    folder = Path(tempfile.mkdtemp(prefix="paygen-production-"))
    try:
        certificate, key = make_certificate(folder)
        if request.param == "debian":
            yield from _debian(folder, certificate, key)
        else:
            yield from _embedded(folder, int(request.param), certificate, key)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _embedded(folder: Path, version: int, certificate: Path, key: Path) -> Iterator[Production]:
    server = embedded.start(folder / "data", version)
    superuser = f"host='{server.host}' port={server.port} user={server.user} dbname=postgres"
    try:
        rules = f"local all {server.user} trust\nlocal all all scram-sha-256\n"
        (folder / "data" / "pg_hba.conf").write_text(rules)
        _make_owner(superuser)
        with relay(f"{server.host}/.s.PGSQL.{server.port}", certificate, key) as port:
            yield Production(port, version, certificate, superuser)
    finally:
        embedded.stop(folder / "data")


def _debian(folder: Path, certificate: Path, key: Path) -> Iterator[Production]:
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4])
    )
    if not installed:
        pytest.skip("TLS of a server's own cannot be had: Debian's postgresql is not installed")
    binaries, data, port = installed[-1].parent, folder / "data", 20000 + os.getpid() % 20000
    as_user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    folder.chmod(0o755)
    data.mkdir(mode=0o700)
    for path in (certificate, key, data):
        if as_user:
            shutil.chown(path, **as_user)
        path.chmod(0o700 if path == data else 0o600)
    run = {"check": True, "capture_output": True, "cwd": data, **as_user}
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "superuser", "-A", "trust", "-E", "utf8"], **run
    )
    (data / "pg_hba.conf").write_text(
        "local all superuser trust\nhostssl all all all scram-sha-256\n"
    )
    options = f"-p {port} -k {data} -h 127.0.0.1 -c ssl=on -c fsync=off"
    options += f" -c ssl_cert_file={certificate} -c ssl_key_file={key}"
    start = [binaries / "pg_ctl", "-w", "-D", data, "-l", data / "log", "-o", options, "start"]
    subprocess.run(start, **{**run, "capture_output": False, "stdout": subprocess.DEVNULL})
    superuser = f"host='{data}' port={port} user=superuser dbname=postgres"
    readable = folder / "root.crt"
    shutil.copyfile(certificate, readable)
    try:
        _make_owner(superuser)
        yield Production(port, int(binaries.parent.name), readable, superuser)
    finally:
        subprocess.run([binaries / "pg_ctl", "-D", data, "-m", "fast", "stop"], **run)


def _make_owner(superuser: str) -> None:
    """The app's owner with its database, as on Supabase: not a superuser."""
    connection = psycopg2.connect(superuser)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("select pg_reload_conf()")
        cursor.execute((PROJECT / "local_postgres" / "http_roles.sql").read_text())
        cursor.execute(
            f"create role {OWNER} {OWNER_ATTRIBUTES} password 'owner''s';"
            f"alter database postgres owner to {OWNER};"
            f"grant anon, authenticated, service_role to {OWNER};"
            f"set role {OWNER}"
        )
        cursor.execute((PROJECT / "local_postgres" / "app_schema.sql").read_text())
    connection.close()
