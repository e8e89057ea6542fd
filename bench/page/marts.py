"""The marts that are measured: of an embedded server in a folder, or one's own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.servers import workload_in
from bench.workload import Workload
from dashboard import queries
from local_postgres import server as embedded
from local_postgres.databases import NAME, READER_ROLE, connect, environment
from reader.libpq import VARIABLES


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

    Raises:
        RuntimeError: the folder's server has no marts, or those of another scale.
    """
    with workload_in(folder, scale, changes, readers=[READER_ROLE]) as workload:
        if _missing_marts(workload.server):
            run(workload, workload.python_models_command())
        if missing := _missing_marts(workload.server):
            raise RuntimeError(f"{folder} has no marts {', '.join(missing)}: build them first")
        reader = environment(workload.server, user=READER_ROLE)
        yield Marts(workload.generations(), reader, workload)


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


def _missing_marts(server: embedded.Server) -> list[str]:
    marts = {mart for query in queries.TABLES.values() for mart in query.marts}
    with connect(server, NAME) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select mart from unnest(%s) as mart"
            " where to_regclass('analytics.' || mart) is null order by 1",
            (sorted(marts),),
        )
        return [mart for (mart,) in cursor.fetchall()]
