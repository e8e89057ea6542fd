"""Bad input and the wrong place: refused before anything is touched."""

import os
import re
from typing import Any

import pytest

from tests.app_database import PROJECT, AppDatabase, invoke, parsed_project
from tests.cleanup.conftest import replica_of
from tests.cleanup.operator import OPERATOR, SYNC, Operator, settings

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


@pytest.mark.parametrize("fault", ARGUMENTS)
def test_bad_arguments_refuse(idle_operator: Operator, fault: str):
    """Bad arguments refuse, hostile ones are data."""
    arguments, code = ARGUMENTS[fault]
    with idle_operator.untouched():
        answer = idle_operator.run(**arguments)
    assert not answer.success
    assert code in answer.codes
    assert "Next: " in answer.text


@pytest.mark.parametrize("fault", CONFIG)
def test_bad_configuration_refuses(idle_operator: Operator, fault: str):
    """Bad configuration refuses."""
    changes, code = CONFIG[fault]
    there = Operator(idle_operator.database)
    there.config = settings(**changes)
    with idle_operator.untouched():
        answer = there.run("apply")
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


def test_the_codes_of_the_page_are_printed_by_the_code(idle_operator: Operator):
    """The page names the command; a code that is raised is in the table, and the reverse."""
    page = (PROJECT / "docs/cleanup.md").read_text()
    command = "dbt --quiet run-operation cleanup_print_codes"
    assert f"`{command}`" in page
    table = re.search(r"<!-- codes -->\n(.*?)<!-- end of codes -->", page, re.DOTALL)[1]
    assert printed(idle_operator, command) == table
    raised = set()
    for file in (PROJECT / "macros/cleanup").glob("*.sql"):
        if file.stem != "cleanup_codes":
            raised |= set(re.findall(r"'(CLEANUP-[A-Z-]+[A-Z])'", file.read_text()))
    assert raised == set(re.findall(r"^\| `(CLEANUP-[A-Z-]+)`", table, re.M))


def printed(operator: Operator, command: str) -> str:
    """What a dbt command prints."""
    os.environ.update(operator.database.environment(operator.user))
    lines: list[str] = []

    def listen(event: Any) -> None:
        if event.info.name == "PrintEvent":
            lines.append(event.data.msg)

    assert invoke(command.split()[1:], manifest=parsed_project(), callbacks=[listen]).success
    return "".join(f"{line}\n" for line in lines)


ACTIONS = ["plan", "rehearse", "apply", "verify", "status", "restore", "purge"]


def test_a_replica_refuses(operator: Operator):
    """No step can make its functions there."""
    with operator.untouched(), replica_of(operator.database.server) as replica:
        there = Operator(AppDatabase(replica, operator.database.name))
        assert "replica" in there.plan().report["identity"]
        for action in ACTIONS:
            answer = there.run(action, accept=[SYNC])
            assert not answer.success
            assert answer.codes == ["CLEANUP-REPLICA"]


def test_a_role_that_may_not_make_temporary_functions_is_told_so(operator: Operator):
    """Nothing else is known then; the next step is named."""
    database = operator.database
    database.execute(f"revoke temporary on database {database.name} from public")
    with operator.untouched():
        for action in ACTIONS:
            answer = operator.run(action, accept=[SYNC])
            assert not answer.success
            assert answer.codes == ["CLEANUP-TEMP"]
            assert "grant temporary on the database" in answer.text
    database.execute(f"grant temporary on database {database.name} to {OPERATOR}")
    assert operator.apply().success


def test_a_session_that_is_read_only_can_plan_and_nothing_else(operator: Operator):
    """Steps that read make their functions all the same, and are read-only from then on."""
    database = operator.database
    role = f"alter role {OPERATOR} in database {database.name}"
    database.execute(f"{role} set default_transaction_read_only = on")
    try:
        with operator.untouched():
            for action in ("plan", "verify", "status"):
                assert operator.run(action, accept=[SYNC]).success
            for action in ("rehearse", "apply", "restore", "purge"):
                answer = operator.run(action, accept=[SYNC])
                assert answer.codes == ["CLEANUP-FAILED"]
                assert "read-only transaction" in answer.text
    finally:
        database.execute(f"{role} reset default_transaction_read_only")
