"""Behind a real PgBouncer: a pool of transactions is refused, one of sessions is not."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspect_app import __main__ as command
from local_postgres.server import Server
from tests.app_database import AppDatabase
from tests.inspecting import shapes

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    not PGBOUNCER, reason="pgbouncer is not installed (Debian: apt-get install it)"
)
PORT = 6543


@contextmanager
def pooler_of(app: AppDatabase, mode: str) -> Iterator[Server]:
    """PgBouncer in front of a database."""
    user = "pgserver" if os.geteuid() == 0 else ""
    with tempfile.TemporaryDirectory(prefix="pool-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "users.txt").write_text(f'"{app.server.user}" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{app.name} = host={app.server.host} port={app.server.port}\n"
            f"[pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {folder}\n"
            f"auth_type = trust\nauth_file = {folder}/users.txt\npool_mode = {mode}\n"
            "ignore_startup_parameters = extra_float_digits\n"
        )
        if user:
            shutil.chown(folder, user)
        as_user = (
            ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        )
        process = subprocess.Popen(
            [*as_user, str(PGBOUNCER), "-q", str(folder / "pgbouncer.ini")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(500):
                if (folder / f".s.PGSQL.{PORT}").exists():
                    break
                assert process.poll() is None, "pgbouncer did not start"
                time.sleep(0.01)
            yield Server(str(folder), PORT, app.server.user, app.server.version)
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize(("mode", "code"), [("transaction", 1), ("session", 0)])
def test_only_a_pool_of_transactions_is_refused(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mode: str,
    code: int,
) -> None:
    shape = shapes.read(shapes.HERE / "shapes" / "profiles_and_generations.yaml")
    app = shapes.make(server, shape["sql"], purpose="pooled")
    with pooler_of(app, mode) as pooler:
        shapes.point_to(AppDatabase(pooler, app.name), monkeypatch)
        found = command.main(["--to", str(tmp_path / "app.yaml"), "--no-build", "--yes"])
    said = capsys.readouterr().err
    assert found == code
    assert ("pooler in transaction mode" in said) == bool(code)
    assert (tmp_path / "app.yaml").exists() != bool(code)
