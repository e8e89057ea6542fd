"""The clean-up's SQL files: psql reads each as it is, and a step is one call with one argument."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from local_postgres import server as embedded
from tests.app_database import PROJECT, AppDatabase
from tests.cleanup.conftest import start_debian
from tests.cleanup.operator import OPERATOR, SETUP, SYNC, Operator
from tests.conftest import make_database

FOLDER = PROJECT / "macros" / "cleanup"
FILES = sorted(
    file for file in FOLDER.glob("*.sql") if "create function pg_temp." in file.read_text()
)
FUNCTIONS = sum(file.read_text().count("create function pg_temp.") for file in FILES)
STEPS = {
    "plan": "cleanup_plan",
    "rehearse": "cleanup_apply",
    "apply": "cleanup_apply",
    "verify": "cleanup_verify",
    "status": "cleanup_verify",
    "restore": "cleanup_restore",
    "purge": "cleanup_purge",
}
# Servers of Debian's that have plpgsql_check.
CHECKERS = [
    int(control.parts[-3])
    for control in Path("/usr/share/postgresql").glob("*/extension/plpgsql_check.control")
]
LOADED = "from pg_proc where pronamespace = pg_my_temp_schema()"


def psql(database: AppDatabase, *arguments: str) -> subprocess.CompletedProcess:
    """The server's own psql, as the operator, stopping at the first error."""
    return subprocess.run(
        [
            embedded.binaries(database.server.version) / "psql",
            *("--no-psqlrc", "--quiet", "--tuples-only", "--no-align"),
            *("--set", "ON_ERROR_STOP=1", "--single-transaction", *arguments),
        ],
        env=database.environment(OPERATOR),
        capture_output=True,
        text=True,
    )


@contextmanager
def loaded(database: AppDatabase) -> Iterator[psycopg2.extensions.cursor]:
    """A session of the operator in which all functions are, as somebody has who works on them."""
    with database.connect(OPERATOR) as connection, connection.cursor() as cursor:
        connection.autocommit = False
        for file in FILES:
            cursor.execute(file.read_text())
        yield cursor
        connection.rollback()


def request_of(operator: Operator, action: str, **changes: Any) -> str:
    """The one argument of a step, as cleanup_request builds it."""
    config = operator.config
    return json.dumps(
        {
            **config,
            "action": action,
            "confirm": None,
            "accept": [SYNC],
            "expect_database": None,
            "kept_tables": config["essential_tables"] + config["useful_tables"],
            "functions": [re.sub(" *, *", ",", name) for name in config["functions"]],
            "closed_roles": ["anon", "authenticated", "service_role"],
            "reads_rows": action != "status",
            "read_only": action in ("plan", "verify", "status"),
            **changes,
        }
    )


def call(cursor: psycopg2.extensions.cursor, operator: Operator, action: str, **changes: Any):
    """What the function of a step answers."""
    cursor.execute(
        f"select pg_temp.{STEPS[action]}(%s)", (request_of(operator, action, **changes),)
    )
    return cursor.fetchone()[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_constant_sql_that_psql_reads_alone(idle_operator: Operator, file):
    """Its macro stands in comments and has nothing to fill in."""
    text = file.read_text()
    macro = f"-- {{% macro {file.stem}() %}}{{% raw %}}\n"
    assert text.startswith(macro)
    assert text.endswith("-- {% endraw %}{% endmacro %}\n")
    body = text.removeprefix(macro).removesuffix("-- {% endraw %}{% endmacro %}\n")
    assert not re.search(r"\{\{|\{%|\{#", body)
    # cleanup_run quotes all of it.
    assert not re.search(r"\$(functions|cleanup)\$", body)
    done = psql(
        idle_operator.database, "--file", str(file), "--command", f"select count(*) {LOADED}"
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == text.count("create function pg_temp.")


def test_all_files_load_into_one_session_in_any_order(idle_operator: Operator):
    """A body is resolved when it runs."""
    files = [argument for file in reversed(FILES) for argument in ("--file", str(file))]
    done = psql(idle_operator.database, *files, "--command", f"select count(*) {LOADED}")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == FUNCTIONS


def test_every_function_resolves_names_in_the_catalogue(idle_operator: Operator):
    """And none runs with the rights of another role, nor takes anything but what it is given."""
    with loaded(idle_operator.database) as cursor:
        cursor.execute(f"select proname, proconfig, prosecdef {LOADED}")
        functions = cursor.fetchall()
    assert len(functions) == FUNCTIONS
    for name, config, is_definer in functions:
        assert name.startswith("cleanup_")
        assert config == ["search_path=pg_catalog, pg_temp"], name
        assert not is_definer, name
    for file in FILES:
        called = re.findall(r"(\S*)\bcleanup_\w+\(", re.sub(r"--.*", "", file.read_text()))
        assert set(called) <= {"pg_temp."}, file.name


def test_a_step_is_called_with_one_argument_and_answers_one_report(operator: Operator):
    """By hand as by the macro, which adds who and where."""
    with loaded(operator.database) as cursor:
        for action in STEPS:
            answer = call(cursor, operator, action)
            assert set(answer) == {"outcome", "plan_hash", "findings"}
        plan = call(cursor, operator, "plan")
    macro = operator.plan(accept=[SYNC]).report
    assert plan["outcome"] == macro["outcome"]
    assert plan["plan_hash"] == macro["plan_hash"]
    by_hand, printed = (
        {(f["level"], f["code"], f["object"], f["detail"].split(";")[0]) for f in found}
        for found in (plan["findings"], macro["findings"])
    )
    # Only what other sessions do meanwhile may differ.
    assert {code for _, code, _, _ in by_hand ^ printed} <= {"SESSION", "LOCK"}


def test_the_whole_way_by_hand(operator: Operator):
    """All steps that write, in one transaction of psycopg2, which is rolled back."""
    with operator.untouched(), loaded(operator.database) as cursor:
        confirm = call(cursor, operator, "plan")["plan_hash"]
        assert call(cursor, operator, "apply", confirm=confirm)["outcome"] == "applied"
        assert call(cursor, operator, "verify")["outcome"] == "archived"
        assert call(cursor, operator, "restore")["outcome"] == "restored"
        assert call(cursor, operator, "apply", confirm=confirm)["outcome"] == "applied"
        cursor.execute(
            "update cleanup_archive.cleanup_manifest"
            " set archived_at = archived_at - interval '31 days';"
            "insert into cleanup_archive.cleanup_backups (file_name, sha256, row_counts, made_at)"
            " select 'x', 'x', jsonb_object_agg(name, row_count), clock_timestamp()"
            " from cleanup_archive.cleanup_manifest"
        )
        confirm = call(cursor, operator, "purge")["plan_hash"]
        purged = call(
            cursor,
            operator,
            "purge",
            confirm=confirm,
            accept=["table public.credit_pools", "table public.credit_purchase_requests"],
        )
        assert purged["outcome"] == "purged", purged


@pytest.mark.skipif(not CHECKERS, reason="Debian: apt-get install postgresql-15-plpgsql-check")
def test_plpgsql_check_finds_nothing():
    """Neither errors nor warnings, in every function; it says where it cannot see dynamic SQL."""
    with start_debian(max(CHECKERS)) as server:
        database = make_database(server, "checked")
        database.execute(SETUP)
        database.execute(
            "create extension plpgsql_check; create schema cron authorization app_owner;"
            "create table cron.job (jobid int, schedule text, command text);"
            "grant select on cron.job to app_owner"
        )
        with loaded(database) as cursor:
            cursor.execute(
                f"""
                select proname, line
                from (select oid, proname {LOADED}) as own
                cross join lateral
                    public.plpgsql_check_function(oid, extra_warnings => false) as line
                """
            )
            assert cursor.fetchall() == []
            cursor.execute(f"select count(*) {LOADED}")
            assert cursor.fetchone()[0] == FUNCTIONS
