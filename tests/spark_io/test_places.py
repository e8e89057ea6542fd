"""`make spark-load` through a pooler of sessions, and into an object storage."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from spark_io.store import Store
from tests.app_database import BUILD_ROLE, PROJECT, AppDatabase
from tests.dialect.quirks import with_quirks
from tests.histories import load, write_histories
from tests.marts.test_oracle import MOMENTS
from tests.poolers import needs_pooler, pooler_of
from tests.spark_io.conftest import newest, read_back
from tests.spark_io.test_load import TABLES, expected

pytestmark = pytest.mark.long

UV = PROJECT / ".tools" / "bin" / "uv"
ENVIRONMENT = PROJECT / ".tools" / "moto"


@pytest.fixture(scope="module")
def storage() -> Iterator[dict[str, str]]:
    """An object storage with a bucket, on this machine: the variables by which it is reached."""
    if not ENVIRONMENT.exists():
        subprocess.run([UV, "venv", "--quiet", "--no-python-downloads", ENVIRONMENT], check=True)
    sync = [UV, "pip", "sync", "--quiet", "--require-hashes", "--python", ENVIRONMENT]
    subprocess.run([*sync, Path(__file__).with_name("requirements.txt")], check=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [ENVIRONMENT / "bin" / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(300):
                with suppress(OSError):
                    urlopen(Request(f"{address}/bucket", method="PUT")).close()
                    break
                time.sleep(0.1)
            yield {
                "AWS_ENDPOINT_URL": address,
                "AWS_ACCESS_KEY_ID": "key",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_REGION": "us-east-1",
            }
        finally:
            server.terminate()


@needs_pooler
def test_a_pooler_of_sessions(
    app: AppDatabase, command: Callable[..., Any], tmp_path: Path
) -> None:
    """As Supabase's: what arrives is what arrives without it."""
    tables = with_quirks(write_histories(8, MOMENTS), 8)
    load(app, tables)
    with pooler_of(app, BUILD_ROLE, mode="session") as pooler:
        code, said = command("load", "--to", tmp_path, PGHOST=pooler.host, PGPORT=str(pooler.port))
    assert code == 0, said
    for table in TABLES:
        assert read_back(tmp_path, table) == expected(table, vars(tables)[table])


def test_an_object_storage(
    app: AppDatabase,
    command: Callable[..., Any],
    storage: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same months with the same rows as in a folder; then what changed, and old ones go."""
    for name, value in storage.items():
        monkeypatch.setenv(name, value)
    place = "s3://bucket/app"
    for seed in (9, 10, 11):
        tables = with_quirks(write_histories(9, MOMENTS), 9)
        for row in tables.enhancement_tasks[seed : seed + 3]:
            row["provider"] = f"changed {seed}"
        load(app, tables)
        for to in (place, tmp_path):
            code, said = command("load", "--to", to)
            assert code == 0, said
        store, local = Store(place), Store(str(tmp_path))
        assert store.snapshots()[-1].tables == newest(tmp_path).tables
        for table, loaded in newest(tmp_path).tables.items():
            for part in loaded.parts:
                names = (table, f"{part.name}-{part.digest}")
                found = [rows.to_pylist() for rows in store.read(*names)]
                assert found == [rows.to_pylist() for rows in local.read(*names)]
    assert len(store.snapshots()) == 2
    assert store.url("x") == "s3a://bucket/app/x"
    code, said = command("load", "--to", "s3://no-such-bucket/app")
    assert code == 1
    assert "s3://no-such-bucket/app cannot be" in said
    assert len([line for line in said.splitlines() if line.strip()]) == 1 + said.count("/1 0:00")
