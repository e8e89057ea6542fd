"""Measure Python models: read a table, add a column, write it, swap it in.

Compares this project's runtime with pandas' read_sql + to_sql and with dbt-pybridge, each in a
process of its own on the same embedded PostgreSQL. A reader polls the table all the while.

    uv run python -m bench.python_models.run

Writes bench/results/python_models.md. Takes about ten minutes; --help has the options.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from rich.progress import Progress

from local_postgres import server as embedded

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
RESULTS = PROJECT / "bench" / "results" / "python_models.md"
POLL_SECONDS = 0.02

TABLE = """
drop schema if exists marts cascade;
create schema marts;
drop table if exists public.measurements;
create table public.measurements as
select
    gen_random_uuid() as id,
    timestamptz '2024-01-01' + random() * interval '600 days' as measured_at,
    md5(n::text) as label,
    (10 + random() * 80)::numeric(12, 4) as amount,
    n::integer as n,
    case when random() < 0.9 then (random() * 1e15)::bigint end as big,
    random() < 0.5 as flag,
    random() as ratio
from generate_series(1, {rows}) as n;
create table marts.frame as select *, ratio as doubled from public.measurements;
create table marts.batches as table marts.frame;
analyze
"""


@dataclass
class Method:
    """One way to do it.

    Attributes:
        name: how the report calls it.
        command: the program, run in the project's folder; prints seconds.
        kind: the adapter of the dbt project, None without dbt.
        table: what it writes.
    """

    name: str
    command: list[str]
    kind: str | None = None
    table: str = "frame"
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    misses: int = 0
    slowest_read: float = 0.0


class Reader(threading.Thread):
    """A dashboard: asks the table for one row every 20 ms."""

    def __init__(self, method: Method) -> None:
        super().__init__(daemon=True)
        self._method = method
        self._over = threading.Event()

    def run(self) -> None:
        """Poll until told to stop."""
        connection = psycopg2.connect("")
        connection.autocommit = True
        with connection.cursor() as cursor:
            while not self._over.wait(POLL_SECONDS):
                start = time.perf_counter()
                try:
                    cursor.execute(f"select * from marts.{self._method.table} limit 1")
                except psycopg2.errors.UndefinedTable:
                    self._method.misses += 1
                waited = time.perf_counter() - start
                self._method.slowest_read = max(self._method.slowest_read, waited)
        connection.close()

    def stop(self) -> None:
        """End the polling."""
        self._over.set()
        self.join()


def methods(pybridge_python: Path | None, rows: int) -> list[Method]:
    """The ways to compare at a table size."""
    run_model = str(HERE / "dbt_model.py")
    ours = [
        Method("this runtime, DataFrame", [sys.executable, run_model, "frame"], "postgres"),
        Method(
            "this runtime, batches", [sys.executable, run_model, "batches"], "postgres", "batches"
        ),
    ]
    if rows > 1_000_000 or not pybridge_python:
        return ours
    python = str(pybridge_python)
    return [
        *ours,
        Method("dbt-pybridge 0.2.3", [python, run_model, "frame"], "pybridge"),
        Method("read_sql + to_sql", [python, str(HERE / "pandas_sql.py")]),
    ]


def write_project(folder: Path, kind: str) -> None:
    """A dbt project with the benchmark's models, for one adapter."""
    shutil.copytree(HERE / "models", folder / "models")
    (folder / "dbt_project.yml").write_text("name: bench\nprofile: bench\nconfig-version: 2\n")
    output = {
        "type": kind,
        "host": os.environ["PGHOST"],
        "port": 5432,
        "user": os.environ["PGUSER"],
        "password": "",
        "dbname": os.environ["PGDATABASE"],
        "schema": "marts",
        "threads": 1,
    }
    profile = {"bench": {"target": "bench", "outputs": {"bench": output}}}
    (folder / "profiles.yml").write_text(json.dumps(profile))


def measure(method: Method, folder: Path) -> None:
    """Run a method once: its own seconds, and the peak memory of its process."""
    reader = Reader(method)
    reader.start()
    process = subprocess.Popen(method.command, cwd=folder, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.stop()
    if process.returncode:
        raise RuntimeError(f"{method.name} failed: {output}")
    method.seconds.append(float(output.splitlines()[-1]))
    method.megabytes.append(usage.ru_maxrss / 1024)


def install_pybridge(folder: Path) -> Path | None:
    """A throw-away environment with dbt-pybridge; None where it cannot be had."""
    uv = PROJECT / ".tools" / "bin" / "uv"
    python = folder / "bin" / "python"
    commands = (
        [uv, "venv", "--quiet", folder],
        [uv, "pip", "install", "--quiet", "--python", python, "dbt-pybridge==0.2.3", "sqlalchemy"],
    )
    for command in commands:
        if subprocess.run(command, check=False).returncode:
            return None
    return python


def report(rows: int, measured: list[Method]) -> str:
    """One Markdown table."""
    base = statistics.median(measured[0].seconds)
    lines = [
        f"## {rows:,} rows x 8 columns",
        "",
        "| way | seconds (median) | times the first | peak MB | reader: misses, slowest (ms) |",
        "|---|---:|---:|---:|---:|",
    ]
    for method in measured:
        seconds = statistics.median(method.seconds)
        lines.append(
            f"| {method.name} | {seconds:.1f} | {seconds / base:.1f} |"
            f" {max(method.megabytes):.0f} |"
            f" {method.misses}, {method.slowest_read * 1000:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.python_models.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way (default 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paygen-bench-") as temporary, Progress() as progress:
        folder = Path(temporary)
        server = embedded.start(folder / "server")
        os.environ.update(PGHOST=server.host, PGUSER=server.user, PGDATABASE="postgres")
        try:
            tables = [measure_all(rows, options.repeat, folder, progress) for rows in options.rows]
        finally:
            embedded.stop(folder / "server")
    heading = (
        "# Python models: read, add a column, write, swap\n\n"
        f"`python -m bench.python_models.run`, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, PostgreSQL {server.version}, median of {options.repeat} "
        "runs; dbt's start and imports are not counted. Memory is the "
        "peak of the whole process. The reader asks for one row every 20 ms.\n"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n\n".join([heading.rstrip(), *tables]) + "\n")
    print(RESULTS.read_text())


def measure_all(rows: int, repeat: int, folder: Path, progress: Progress) -> str:
    """Measure every way at one table size; return the report."""
    pybridge = install_pybridge(folder / "pybridge") if rows <= 1_000_000 else None
    measured = methods(pybridge, rows)
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute(TABLE.format(rows=rows))
    task = progress.add_task(f"{rows:,} rows", total=repeat * len(measured))
    for _ in range(repeat):
        for method in measured:
            project = Path(tempfile.mkdtemp(dir=folder))
            if method.kind:
                write_project(project, method.kind)
            measure(method, project)
            progress.advance(task)
    return report(rows, measured)


if __name__ == "__main__":
    main()
