"""Measure one piece of work: wall time, the database's own time, CPU and memory of both sides."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2.extensions

from local_postgres.databases import NAME, connect
from local_postgres.server import Server

SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Measurement:
    """What one command cost.

    Attributes:
        wall_seconds: from start to end of the command.
        database_seconds: time the server spent executing statements, summed over its sessions
            (`active_time` of pg_stat_database).
        server_cpu_seconds: user and system time of all processes of the server.
        client_cpu_seconds: the same of the command.
        server_peak_mib: most memory of the server's processes together, sampled; what they
            share counts once.
        client_peak_mib: most resident memory of the command.
    """

    wall_seconds: float
    database_seconds: float
    server_cpu_seconds: float
    client_cpu_seconds: float
    server_peak_mib: float
    client_peak_mib: float


def measure(server: Server, command: Sequence[str], environment: dict[str, str]) -> Measurement:
    """Run `command` and measure it.

    Raises:
        RuntimeError: it fails; the message is the end of what it printed.
    """
    postmaster = psutil.Process(_postmaster_id(server))
    peak = _PeakMemory(postmaster)
    database_before, server_cpu_before = _database_seconds(server), _cpu_seconds(postmaster)
    client_cpu_before = _children_cpu_seconds()
    started = time.perf_counter()
    with peak:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{output[-3000:]}")
    return Measurement(
        wall,
        _database_seconds(server) - database_before,
        _cpu_seconds(postmaster) - server_cpu_before,
        _children_cpu_seconds() - client_cpu_before,
        peak.mib,
        usage.ru_maxrss / 1024,
    )


def _postmaster_id(server: Server) -> int:
    with connect(server, "postgres") as connection, connection.cursor() as cursor:
        cursor.execute("select setting from pg_settings where name = 'data_directory'")
        (folder,) = cursor.fetchone()
    return int(Path(folder, "postmaster.pid").read_text().split()[0])


def _database_seconds(server: Server) -> float:
    # Asked from another database, not to be counted itself. A session reports its last statement
    # when it is gone, which takes a while where it leaves temporary tables of gigabytes.
    with connect(server, "postgres") as connection, connection.cursor() as cursor:
        while _has_sessions(cursor):
            time.sleep(SAMPLE_SECONDS)
        cursor.execute("select active_time from pg_stat_database where datname = %s", (NAME,))
        (milliseconds,) = cursor.fetchone()
    return milliseconds / 1000


def _has_sessions(cursor: psycopg2.extensions.cursor) -> bool:
    cursor.execute(
        "select 1 from pg_stat_activity where datname = %s and backend_type = 'client backend'",
        (NAME,),
    )
    return cursor.fetchone() is not None


def _cpu_seconds(postmaster: psutil.Process) -> float:
    # A backend that has ended counts among the postmaster's children.
    own = postmaster.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in postmaster.children():
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _children_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class _PeakMemory:
    """Samples the memory of the server's processes while it is entered."""

    def __init__(self, postmaster: psutil.Process) -> None:
        self.mib = 0.0
        self._postmaster = postmaster
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            own = shared = 0
            for process in [self._postmaster, *self._postmaster.children()]:
                try:
                    memory = process.memory_info()
                except psutil.Error:
                    continue
                own += memory.rss - memory.shared
                # Proportional shares would be exact, but walking gigabytes of pages costs CPU time.
                shared = max(shared, memory.shared)
            self.mib = max(self.mib, (own + shared) / 2**20)
