"""Behind a real PgBouncer: pools of transactions and statements are refused, others are not."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from dbt_postgres_session.pin import SETTINGS
from session_servers import PORT, USER, Server, as_user, folder_of

from small_project import DATABASE, LOSE, ROLE, SmallProject, soon_gone  # isort: skip

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    not PGBOUNCER, reason="pgbouncer is not installed (Debian: apt-get install it)"
)


@contextmanager
def pooler_of(server: Server, **settings: object) -> Iterator[Server]:
    """PgBouncer in front of the server, with the settings given."""
    lines = "\n".join(f"{name} = {value}" for name, value in settings.items())
    with folder_of(USER) as folder:
        (folder / "users.txt").write_text(f'"{ROLE}" ""\n"{server.user}" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{DATABASE} = host={server.host} port={server.port}\n"
            f"[pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {folder}\n"
            f"auth_type = trust\nauth_file = {folder}/users.txt\n{lines}\n"
        )
        process = subprocess.Popen(
            [*as_user(USER), PGBOUNCER, "-q", folder / "pgbouncer.ini"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not listens(folder / f".s.PGSQL.{PORT}"):
                assert process.poll() is None, "pgbouncer did not start"
                time.sleep(0.01)
            yield Server(str(folder), PORT, server.user)
        finally:
            process.terminate()
            process.wait(10)


def listens(path: Path) -> bool:
    """Whether a socket takes connections: its file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as one:
        return one.connect_ex(str(path)) == 0


def client(pooler: Server) -> psycopg2.extensions.connection:
    """One more client of the pooler, as the app may be."""
    return psycopg2.connect(host=pooler.host, port=pooler.port, user=ROLE, dbname=DATABASE)


def grow(pooler: Server, size: int) -> None:
    """Have the pool hold that many idle sessions."""
    clients = [client(pooler) for _ in range(size)]
    for one in clients:
        one.cursor().execute("select 1")
    for one in clients:
        one.rollback()
        one.close()


@pytest.fixture
def behind(project: SmallProject) -> SmallProject:
    """A project with one model, whose connection is still direct."""
    project.write("models/a.sql", "select 1 as one")
    return project


def refused(project: SmallProject, pooler: Server, mode: str) -> None:
    """A run through the pooler is refused, has built nothing and left nothing in its sessions."""
    project.configure(host=pooler.host, port=pooler.port)
    run = project.dbt()
    assert not run.success
    assert f"is a pooler in {mode} mode" in run.text
    assert project.query("select * from pg_class where relname = 'a'") == []
    assert soon_gone(project.locks) == []


@pytest.mark.parametrize("round_robin", [0, 1])
@pytest.mark.parametrize("idle", [0, 1, 2, 3, 7])
def test_a_transaction_pooler_is_refused(behind: SmallProject, round_robin: int, idle: int) -> None:
    """Whatever the order in which it hands out sessions, and however many it has."""
    with pooler_of(
        behind.server, pool_mode="transaction", server_round_robin=round_robin
    ) as pooler:
        grow(pooler, idle)
        refused(behind, pooler, "transaction")
        for _ in range(idle or 1):
            one = client(pooler)
            with one.cursor() as cursor:
                cursor.execute(
                    "select current_setting('search_path'), current_setting('row_security')"
                )
                assert cursor.fetchone() == ('"$user", public', "on")
            one.close()


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("round_robin", [0, 1])
def test_a_transaction_pooler_with_few_sessions_is_refused(
    behind: SmallProject, size: int, round_robin: int
) -> None:
    """Also where two clients cannot be served at once."""
    with pooler_of(
        behind.server,
        pool_mode="transaction",
        default_pool_size=size,
        server_round_robin=round_robin,
        query_wait_timeout=5,
    ) as pooler:
        refused(behind, pooler, "transaction")


@pytest.mark.parametrize("round_robin", [0, 1])
def test_a_busy_transaction_pooler_is_refused(behind: SmallProject, round_robin: int) -> None:
    """Other clients take and return sessions at the same time."""
    with pooler_of(
        behind.server, pool_mode="transaction", server_round_robin=round_robin
    ) as pooler:
        end = threading.Event()

        def work() -> None:
            one = client(pooler)
            while not end.is_set():
                one.cursor().execute("select pg_sleep(0.0005)")
                one.rollback()
            one.close()

        others = [threading.Thread(target=work) for _ in range(4)]
        for other in others:
            other.start()
        try:
            for _ in range(5):
                refused(behind, pooler, "transaction")
        finally:
            end.set()
            for other in others:
                other.join()


@pytest.mark.parametrize("round_robin", [0, 1])
def test_a_statement_pooler_is_refused(behind: SmallProject, round_robin: int) -> None:
    """It refuses transactions, or shares its sessions."""
    with pooler_of(behind.server, pool_mode="statement", server_round_robin=round_robin) as pooler:
        refused(behind, pooler, "statement")


@pytest.mark.parametrize("round_robin", [0, 1])
def test_a_session_pooler_is_fine(behind: SmallProject, round_robin: int) -> None:
    """Its sessions are pinned, the lock is held, and the next client finds no setting left."""
    names = list(SETTINGS)
    behind.write(
        "models/b.sql",
        "{{ config(materialized='table') }} select "
        + ", ".join(f"current_setting('{name}') as {name}" for name in names),
    )
    with pooler_of(behind.server, pool_mode="session", server_round_robin=round_robin) as pooler:
        grow(pooler, 3)
        behind.configure(host=pooler.host, port=pooler.port)
        for _ in range(2):
            run = behind.dbt()
            assert run.success, run.text
        assert behind.query("select * from marts.b") == [tuple(SETTINGS.values())]
        time.sleep(0.1)
        assert soon_gone(behind.locks) == []
        with client(pooler).cursor() as cursor:
            cursor.execute("select current_setting('search_path')")
            assert cursor.fetchone() == ('"$user", public',)


def test_a_session_pooler_that_drops_the_lock_fails_the_run(behind: SmallProject) -> None:
    """A pooler that is restarted in mid-run ends the lock, and the run says so."""
    behind.write("models/a.sql", "select 1 as one")
    with pooler_of(behind.server, pool_mode="session") as pooler:
        behind.configure(host=pooler.host, port=pooler.port)

        def lose(text: str) -> None:
            if "START sql" in text:
                behind.execute(LOSE)

        run = behind.dbt("run", listen=lose)
    assert not run.success
    assert "The run lock was lost during this run" in run.text
