"""What the role, the database or the server set, and how few sessions they give."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.app_database import BUILD_ROLE, AppDatabase, messages

BUILD = ("build", "--resource-type", "model", "seed")


@pytest.fixture
def set_back(database: AppDatabase) -> Iterator[AppDatabase]:
    """The database, whose role is as it was after the test."""
    yield database
    database.execute(
        f"alter role {BUILD_ROLE} in database {database.name} reset all;"
        f" alter role {BUILD_ROLE} connection limit -1;"
        f" alter database {database.name} connection limit -1"
    )


def refusal(database: AppDatabase) -> str:
    """What a run says that builds nothing."""
    result = database.dbt(*BUILD, expect_success=False)
    said = str(result.exception or messages(result))
    assert "nothing was built" in said
    relations = "select 1 from pg_class where relnamespace = 'analytics'::regnamespace"
    assert database.query(relations) == []
    return said


@pytest.mark.long
def test_too_few_sessions_are_said_in_one_sentence(set_back: AppDatabase) -> None:
    """By the role, the database, or the server; with the number that a run needs."""
    name = set_back.name
    for limited in (f"role {BUILD_ROLE}", f"database {name}"):
        for limit in (1, 3, 5):
            set_back.execute(f"alter {limited} connection limit {limit}")
            said = refusal(set_back)
            assert f"{limit} sessions at once, and a run with 4 threads needs 6" in said
            assert f"alter {limited} connection limit 6" in said
        set_back.execute(f"alter {limited} connection limit -1")
    (server,) = set_back.query("select current_setting('max_connections')::int as most")
    with ExitStack() as others:
        for _ in range(server["most"] - 4):
            others.enter_context(set_back.connect())
        assert "raise max_connections, so that there is room for 6" in refusal(set_back)
    set_back.execute(f"alter role {BUILD_ROLE} connection limit 6")
    set_back.dbt(*BUILD)


@pytest.mark.long
def test_settings_that_would_fail_each_model_stop_the_run(set_back: AppDatabase) -> None:
    """With the statement that resets them."""
    role = f"alter role {BUILD_ROLE} in database {set_back.name}"
    set_back.execute(f"{role} set restrict_nonsystem_relation_kind = 'view'")
    assert f"alter role {BUILD_ROLE} reset restrict_nonsystem" in refusal(set_back)
    set_back.execute(f"{role} reset all")
    with set_back.connect() as connection, connection.cursor() as cursor:
        cursor.execute("set allow_in_place_tablespaces = on")
        cursor.execute("drop tablespace if exists elsewhere")
        cursor.execute("create tablespace elsewhere location ''")
    try:
        set_back.execute(f"{role} set default_tablespace = 'elsewhere'")
        assert f"grant create on tablespace elsewhere to {BUILD_ROLE}" in refusal(set_back)
    finally:
        set_back.execute(f"{role} reset all")
        set_back.execute("drop tablespace elsewhere")


ODD = {
    "default_table_access_method": "other",
    "lock_timeout": "1ms",
    "plan_cache_mode": "force_generic_plan",
    "backslash_quote": "off",
    "debug_parallel_query": "regress",
    "client_min_messages": "error",
    "enable_hashjoin": "off",
    "enable_sort": "off",
    "row_security": "off",
    "synchronize_seqscans": "off",
    "xmlbinary": "hex",
    "vacuum_cost_delay": "1ms",
    "jit_above_cost": "0",
}


@pytest.mark.long
def test_settings_that_change_no_figure(set_back: AppDatabase) -> None:
    """Two builds come to the same with all of them."""
    database = set_back
    database.execute("create access method other type table handler heap_tableam_handler")
    database.insert(
        "enhancement_tasks",
        *(
            {"status": status, "provider": "wan", "enhancement_type": "style", "cost_usd": "0.25"}
            for status in ("completed", "failed", "completed")
        ),
    )
    for name, value in ODD.items():
        database.execute(
            f"alter role {BUILD_ROLE} in database {database.name} set {name} = '{value}'"
        )
    for _ in range(2):
        database.dbt(*BUILD)
        database.execute("update enhancement_tasks set cost_usd = cost_usd * 2")
    assert database.query(
        """select sum(generations) as calls, sum(vendor_cost_usd) as cost
           from analytics.daily_usage"""
    ) == [{"calls": 3, "cost": 1}]
