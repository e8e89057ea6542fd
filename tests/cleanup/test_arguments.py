"""Bad input and the wrong place: refused before anything is touched."""

import re

import pytest

from tests.app_database import PROJECT, AppDatabase
from tests.cleanup.conftest import replica_of
from tests.cleanup.operator import Operator, settings

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
    with operator.untouched(), replica_of(operator.database.server) as replica:
        there = Operator(AppDatabase(replica, operator.database.name))
        assert "replica" in there.plan().report["identity"]
        answer = there.try_apply()
    assert not answer.success
    assert "CLEANUP-REPLICA" in answer.codes
