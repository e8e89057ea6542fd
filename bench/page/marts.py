"""The marts that are measured: of an embedded server in a folder, or one's own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.servers import start_server
from bench.workload import Workload
from dashboard import queries
from local_postgres import server as embedded
from local_postgres.databases import NAME, READER_ROLE, connect, environment
from reader.libpq import VARIABLES

TOLERANCE = 0.1  # of generations asked for against those that are there


@dataclass(frozen=True)
class Marts:
    """Marts and how to change them.

    Attributes:
        generations: of all months.
        environment: libpq's variables of the reader.
        workload: changes and runs; None where nothing may be written.
    """

    generations: int
    environment: dict[str, str]
    workload: Workload | None


@contextmanager
def in_folder(folder: Path, scale: int, changes: int) -> Iterator[Marts]:
    """The marts of the bench's server in `folder`, which is made only where there is none.

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
        workload = Workload(server, folder, scale, changes, 1, [READER_ROLE])
        if not is_there:
            workload.generate()
            workload.add_indexes()
        generations = _generations(server, folder)
        if abs(generations - scale) > TOLERANCE * scale:
            raise RuntimeError(
                f"{folder} has {generations:,} generations, not {scale:,}: name another folder, or"
                f" --scale {generations}"
            )
        if _missing_marts(server):
            run(workload, workload.python_models_command())
        if missing := _missing_marts(server):
            raise RuntimeError(f"{folder} has no marts {', '.join(missing)}: build them first")
        reader = environment(server, user=READER_ROLE)
        yield Marts(generations, reader, workload)
    finally:
        if not was_running:
            embedded.stop(data)


def own() -> Marts:
    """The marts that libpq's variables point to.

    Raises:
        RuntimeError: no variable is set.
    """
    ours = {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
    if not ours:
        raise RuntimeError("set PGHOST, PGUSER and PGDATABASE to where your marts are")
    return Marts(0, ours, None)


def run(workload: Workload, command: list[str]) -> None:
    """Run dbt as the build role.

    Raises:
        RuntimeError: it fails; the message is the end of what it printed.
    """
    answer = subprocess.run(
        command,
        env={**os.environ, **environment(workload.server)},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise RuntimeError(
            f"{' '.join(command)} failed:\n{(answer.stdout + answer.stderr)[-3000:]}"
        )


def _has_database(server: embedded.Server) -> bool:
    with connect(server, "postgres") as connection, connection.cursor() as cursor:
        cursor.execute("select 1 from pg_database where datname = %s", (NAME,))
        return cursor.fetchone() is not None


def _generations(server: embedded.Server, folder: Path) -> int:
    with connect(server, NAME) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('analytics.monthly_usage') is null")
        if cursor.fetchone()[0]:
            raise RuntimeError(f"{folder} has no marts yet: wait until it is made, or remove it")
        cursor.execute("select coalesce(sum(generations), 0)::bigint from analytics.monthly_usage")
        return int(cursor.fetchone()[0])


def _missing_marts(server: embedded.Server) -> list[str]:
    marts = {mart for query in queries.TABLES.values() for mart in query.marts}
    with connect(server, NAME) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select mart from unnest(%s) as mart"
            " where to_regclass('analytics.' || mart) is null order by 1",
            (sorted(marts),),
        )
        return [mart for (mart,) in cursor.fetchall()]
