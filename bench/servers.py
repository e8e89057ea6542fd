"""The server that is measured, and how dbt reaches it."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import report
from bench.workload import Workload
from local_postgres import server as embedded
from local_postgres.databases import NAME, PROJECT, connect, environment
from local_postgres.server import Server

TOLERANCE = 0.1  # of generations asked for against those that are there


def start_server(data: Path) -> Server:
    """Start a new server with memory as the manual advises; the demo's has to fit anywhere."""
    with connect(embedded.start(data), "postgres") as connection, connection.cursor() as cursor:
        for setting, value in report.server_settings().items():
            cursor.execute(f"alter system set {setting} = '{value}'")
    embedded.stop(data)
    return embedded.start(data)


@contextmanager
def kept_or_new(folder: Path | None) -> Iterator[Path]:
    """A folder for server and dbt: the one that is named, made if need be; else a passing one."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="paygen-bench-") as name:
        Path(name).chmod(0o755)  # the server may run as another user
        yield Path(name)


@contextmanager
def workload_in(
    folder: Path, scale: int, changes: int, rounds: int = 1, readers: Sequence[str] = ()
) -> Iterator[Workload]:
    """The workload of the bench's server in `folder`, which is made only where there is none.

    A server that ran before runs on afterwards.

    Raises:
        RuntimeError: the folder's server has no marts, or those of another scale.
    """
    data = folder / "server"
    is_there, was_running = (data / "PG_VERSION").exists(), (data / "postmaster.pid").exists()
    server = embedded.start(data) if is_there else start_server(data)
    try:
        if is_there and not _has_database(server):
            raise RuntimeError(
                f"the server in {data} has no database {NAME}: wait until it is made, or name"
                " another folder"
            )
        workload = Workload(server, folder, scale, changes, rounds, readers)
        if not is_there:
            workload.generate()
            workload.add_indexes()
        generations = workload.generations()
        if abs(generations - scale) > TOLERANCE * scale:
            raise RuntimeError(
                f"{folder} has {generations:,} generations, not {scale:,}: name another folder, or"
                f" --scale {generations}"
            )
        yield workload
    finally:
        if not was_running:
            embedded.stop(data)


@contextmanager
def new_server() -> Iterator[tuple[Server, Path]]:
    """A new server, and the folder that it and dbt write into; both are gone afterwards."""
    with kept_or_new(None) as folder:
        data = folder / "server"
        server = start_server(data)
        try:
            yield server, folder
        finally:
            embedded.stop(data)


def dbt_environment(server: Server, folder: Path) -> dict[str, str]:
    """Variables by which dbt builds the project on a server and writes only into a folder."""
    (folder / "profiles.yml").write_text((PROJECT / "profiles.yml.example").read_text())
    return {
        **environment(server),
        "DBT_TARGET": "prod",
        "DBT_PROFILES_DIR": str(folder),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
        "DBT_QUIET": "1",
    }


def _has_database(server: Server) -> bool:
    with connect(server, "postgres") as connection, connection.cursor() as cursor:
        cursor.execute("select 1 from pg_database where datname = %s", (NAME,))
        return cursor.fetchone() is not None
