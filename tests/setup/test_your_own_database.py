"""README's "Your own database", line by line, by an owner who is no superuser, over TLS."""

import os
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest

from tests.app_database import PROJECT
from tests.docs.documents import commands
from tests.setup.conftest import OWNER, Production

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
# Production's shape: nobody keeps a result's address, nor when a task was completed.
SHAPE = """
    alter table enhancement_tasks
        drop column result_url, drop column updated_at,
        add failed_at timestamptz, add started_at timestamptz, add processing_time_ms integer;
    alter table user_credits drop column consumed_this_month, drop column monthly_allowance;
    drop table system_alerts;
    insert into enhancement_tasks
        (status, enhancement_type, created_at, failed_at, processing_time_ms)
    values
        ('completed', 'image_gen', now() - interval '1 hour', null, 9000),
        ('completed', 'image_gen', now() - interval '1 hour', null, 11000),
        ('failed', 'image_gen', now() - interval '1 hour', now() - interval '59 minutes', 7),
        ('processing', 'image_gen', now() - interval '1 hour', null, 5000);
"""


def ask(server: Production, statement: str, user: str | None = None) -> list[tuple]:
    """The rows of a statement, asked by the superuser or, over TLS, by another role."""
    connection = (
        server.connect(user, "build's" if user == "paygen" else "owner's")
        if user
        else psycopg2.connect(server.superuser)
    )
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def run(clone: Path, command: str, **environment: str) -> str:
    """One shell command in the clone; what it prints."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "DBT_", "VIRTUAL_ENV", "COV"))
    }
    result = subprocess.run(
        ["bash", "-euc", command],
        cwd=clone,
        env=clean | environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout + result.stderr


def test_your_own_database(production: Production, clone: Path) -> None:
    """Each step once, those of the owner twice; then the numbers, and everything undone."""
    ask(production, SHAPE, user=OWNER)
    as_owner, *as_paygen = commands("README.md", "Your own database")
    owner = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(production.port),
        "PGUSER": OWNER,
        "PGPASSWORD": "owner's",
        "PGDATABASE": "postgres",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(production.certificate),
    }
    for _ in range(2):
        run_psql(clone, as_owner.replace(ELLIPSIS, "build''s"), owner, production)
    policies = ask(production, "select count(*) from pg_policies where policyname like 'paygen%'")
    assert policies == [(3 if production.version < 16 else 0,)]
    assert not ask(production, "select 1 where pg_has_role('app_owner', 'paygen', 'usage')")

    script = (
        "\n".join(as_paygen)
        .replace(f"PGHOST={ELLIPSIS}", "PGHOST=127.0.0.1")
        .replace(f"PGPASSWORD={ELLIPSIS}", "PGPASSWORD=build\\'s")
        .replace("PGPORT=5432", f"PGPORT={production.port}")
    )
    assert ELLIPSIS not in script
    run(clone, script)
    durations = "select duration_seconds from analytics.fct_generations order by 1 nulls last"
    assert ask(production, durations, user="paygen") == [
        (Decimal(9),),
        (Decimal(11),),
        (Decimal(60),),
        (None,),
    ]
    ended = (
        "select status, ended_at is null from analytics.fct_generations group by 1, 2 order by 1"
    )
    assert ask(production, ended, user="paygen") == [
        ("completed", True),
        ("failed", False),
        ("processing", True),
    ]
    for _ in range(2):
        run_psql(clone, "psql -v ON_ERROR_STOP=1 -f setup/undo.sql", owner, production)
    left = "select 1 from pg_namespace where nspname like 'analytics%' union all "
    left += "select 1 from pg_roles where rolname = 'paygen' union all "
    left += "select 1 from pg_policies where policyname like 'paygen%'"
    assert ask(production, left) == []


def run_psql(clone: Path, command: str, owner: dict[str, str], server: Production) -> None:
    """Run README's psql command as written; where there is no psql, its files and statements."""
    if shutil.which("psql"):
        run(clone, command, **owner)
        return
    parts = command.split(" -")
    connection = server.connect(OWNER, "owner's")
    connection.autocommit = True
    with connection.cursor() as cursor:
        for part in parts:
            if part.startswith("f "):
                cursor.execute((PROJECT / part[2:].strip()).read_text())
            elif part.startswith("c "):
                cursor.execute(part[2:].strip().strip('"'))
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            "create schema analytics",
            "schema analytics is there already and belongs to role app_owner",
        ),
        ("alter table user_credits rename to balances", "there is no table public.user_credits"),
        ("", "there is no role paygen: run roles.sql first"),
    ],
)
def test_a_set_up_that_cannot_be_is_refused(production: Production, spoil: str, words: str) -> None:
    """In one sentence, and nothing of it stays."""
    connection = server_of(production)
    try:
        with connection.cursor() as cursor:
            if spoil:
                cursor.execute((PROJECT / "setup" / "roles.sql").read_text())
                cursor.execute(spoil)
            with pytest.raises(psycopg2.Error, match=words):
                cursor.execute((PROJECT / "setup" / "build_role.sql").read_text())
    finally:
        connection.rollback()
        connection.close()


def server_of(production: Production) -> psycopg2.extensions.connection:
    """A connection of the owner's, in a transaction."""
    return production.connect(OWNER, "owner's")
