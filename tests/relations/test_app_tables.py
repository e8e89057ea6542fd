"""The app's tables stay the app's: nothing of ours depends on them, and changes are noticed."""

import copy
import json
import os
from unittest.mock import patch

import pytest

from tests.app_database import BUILD_ROLE, AppDatabase, invoke, messages, parsed_project
from tests.cleanup.conftest import DEBIAN_15, start_debian
from tests.conftest import make_database

MODELS = ("--resource-type", "model", "seed")
TASK = {
    "user_id": "00000000-0000-0000-0000-0000000000aa",
    "provider": "wan",
    "status": "completed",
    "enhancement_type": "video_gen",
    "created_at": "2024-11-05T10:00:00Z",
}
AS_OF = {"as_of": "2024-11-06T00:00:00Z"}
# What of ours would stand in the way of a change of the app's tables or types.
DEPENDENTS = """
select distinct pg_describe_object(classid, objid, 0) as thing
from pg_depend
where
    (
        (refclassid = 'pg_class'::regclass and refobjid in (
            select oid from pg_class where relnamespace = 'public'::regnamespace
        ))
        or (refclassid = 'pg_type'::regclass and refobjid in (
            select oid from pg_type where typnamespace = 'public'::regnamespace
        ))
    )
    and pg_describe_object(classid, objid, 0) like '%analytics%'
"""


@pytest.fixture
def typed_app(any_server) -> AppDatabase:
    """An app whose tasks have an enum and domains, an id among them, built."""
    database = make_database(any_server)
    database.execute(
        """create type task_status as enum ('pending', 'processing', 'completed', 'failed');
           create domain task_id as uuid; create domain own_id as task_id;
           create domain price as numeric(8, 4);
           alter table enhancement_tasks
               alter id drop default, alter id type own_id,
               alter status drop default, alter status type task_status using status::task_status,
               alter cost_usd type price;
           alter table enhancement_tasks alter id set default gen_random_uuid()"""
    )
    database.insert("enhancement_tasks", TASK)
    database.insert("user_credits", {"user_id": TASK["user_id"], "subscription_tier": "pro"})
    database.dbt("build", *MODELS, variables=AS_OF)
    return database


@pytest.mark.long
def test_columns_whose_collation_ignores_case() -> None:
    """No pattern can be tried on them; the wheels' servers have no such collation."""
    if not DEBIAN_15.exists():
        pytest.skip("PostgreSQL 15 is not installed")
    with start_debian(15) as server:
        database = make_database(server)
        database.execute(
            """create extension citext;
               create collation nocase (
                   provider = icu, locale = 'und-u-ks-level2', deterministic = false);
               alter table enhancement_tasks alter status type text collate nocase,
                   alter provider type text collate nocase, alter enhancement_type type citext,
                   alter error_message type text collate nocase;
               alter table credit_transactions alter api_request_id type text collate nocase,
                   alter transaction_type type text collate nocase, alter status type citext;
               alter table user_credits alter subscription_tier type text collate nocase"""
        )
        database.insert(
            "enhancement_tasks", TASK | {"status": "Failed", "error_message": "Timeout"}
        )
        database.insert("user_credits", {"user_id": TASK["user_id"], "subscription_tier": "Pro"})
        for arguments in (MODELS, ("--selector", "frequent")):
            database.dbt("build", *arguments, variables=AS_OF)
        (row,) = database.query(
            "select provider, status, error_message from analytics.fct_generations"
        )
        assert row == {"provider": "wan", "status": "failed", "error_message": "Timeout"}


def generations(database: AppDatabase) -> int:
    (row,) = database.query("select count(*) as n from analytics.fct_generations")
    return row["n"]


def test_the_app_migrates_as_if_we_were_not_there(typed_app: AppDatabase) -> None:
    """Types, columns, names and whole tables change; the next frequent run reads what there is."""
    assert typed_app.query(DEPENDENTS, None) == []

    def frequent() -> None:
        typed_app.dbt(
            "build", "--resource-type", "model", "--selector", "frequent", variables=AS_OF
        )

    typed_app.execute(
        """alter table enhancement_tasks alter status type varchar(30);
           drop type task_status;
           alter table enhancement_tasks drop column updated_at, alter provider type text,
               alter id type uuid, alter cost_usd type double precision;
           drop domain own_id; drop domain task_id; drop domain price;
           alter table user_credits alter subscription_tier type varchar(99)"""
    )
    typed_app.insert("enhancement_tasks", TASK)
    frequent()
    assert generations(typed_app) == 2

    typed_app.execute("alter table enhancement_tasks alter id type text; truncate user_credits")
    typed_app.insert("enhancement_tasks", TASK)
    frequent()
    assert generations(typed_app) == 3
    (overview,) = typed_app.query("select users_with_credits from analytics.dashboard_overview")
    assert overview["users_with_credits"] == 0

    typed_app.execute(
        """alter table enhancement_tasks rename to tasks_old;
           create table enhancement_tasks (like tasks_old including all);
           insert into enhancement_tasks select * from tasks_old;
           drop table tasks_old"""
    )
    typed_app.execute(f"grant select on enhancement_tasks to {BUILD_ROLE}")
    typed_app.insert("enhancement_tasks", TASK)
    frequent()
    assert generations(typed_app) == 4
    typed_app.dbt("build", *MODELS, "--full-refresh", variables=AS_OF)
    assert generations(typed_app) == 4
    assert typed_app.query(DEPENDENTS, None) == []


@pytest.mark.long
def test_tiers_and_balances_are_those_of_the_app_after_each_run(database: AppDatabase) -> None:
    """Whoever comes, goes, or changes; where nothing changed, nothing is written."""
    database.insert("enhancement_tasks", TASK)
    users = [f"00000000-0000-0000-0000-0000000000{digits}" for digits in ("aa", "bb", "cc")]
    for user in users:
        database.insert(
            "user_credits", {"user_id": user, "subscription_tier": "pro", "current_balance": 5}
        )
    database.dbt("build", *MODELS, variables=AS_OF)
    written = "select user_id, xmin::text as version from analytics_intermediate.int_balances"
    before = {row["user_id"]: row["version"] for row in database.query(written)}
    database.execute(
        """update user_credits set subscription_tier = 'free' where user_id::text like '%%aa';
           delete from user_credits where user_id::text like '%%bb';
           insert into user_credits (user_id, subscription_tier, current_balance)
           values ('00000000-0000-0000-0000-0000000000dd', 'free', -2)""",
        (),
    )
    database.dbt("build", "--selector", "frequent", variables=AS_OF)
    after = {row["user_id"]: row["version"] for row in database.query(written)}
    assert {user[-2:] for user in after} == {"aa", "cc", "dd"}
    assert [user[-2:] for user in after if before.get(user) == after[user]] == ["cc"]
    assert database.query("select subscription_tier from analytics.monthly_user_usage") == [
        {"subscription_tier": "free"}
    ]
    (overview,) = database.query("select * from analytics.dashboard_overview")
    assert overview["total_credits_in_circulation"] == 8
    database.dbt("build", "--selector", "frequent", variables=AS_OF)
    assert {row["user_id"]: row["version"] for row in database.query(written)} == after


def test_a_read_through_staging_is_planned_as_one_of_the_table(database: AppDatabase) -> None:
    """By the app's indexes on `created_at` and on the key, as if the view bound the table."""
    database.execute(
        """insert into enhancement_tasks
               (id, user_id, provider, enhancement_type, status, created_at)
           select gen_random_uuid(), gen_random_uuid(), 'wan', 'video_gen', 'completed',
               timestamptz '2024-01-01 00:00Z' + number * interval '1 minute'
           from generate_series(1, 20000) as number;
           create index on enhancement_tasks (created_at)"""
    )
    database.dbt("build", *MODELS, "--select", "+int_tasks_cleaned")
    database.execute("analyze enhancement_tasks")
    for relation in ("staging.stg_app__enhancement_tasks", "intermediate.int_tasks_cleaned"):
        for condition, index in (
            ("created_at >= '2024-01-14 20:00Z'", "enhancement_tasks_created_at_idx"),
            ("source_id = any(array(select gen_random_uuid()))", "enhancement_tasks_pkey"),
        ):
            plan = "\n".join(
                row["QUERY PLAN"]
                for row in database.query(
                    f"explain select * from analytics_{relation} where {condition}", user=BUILD_ROLE
                )
            )
            assert f"using {index}" in plan or f"on {index}" in plan, plan
            assert "Function Scan on stg_" not in plan
            assert "__query" not in plan


def test_a_model_may_end_in_a_comment(database: AppDatabase) -> None:
    """In the first build, in scheduled runs, and as the body of a view that is bound late."""
    database.insert("enhancement_tasks", TASK)
    manifest = copy.deepcopy(parsed_project())
    for node in manifest.nodes.values():
        if node.resource_type == "model" and node.language == "sql":
            node.raw_code += "\n-- the end"
    for selection in (("--exclude", "tag:python", "test_type:data"), ("--selector", "frequent")):
        with patch.dict(os.environ, database.environment()):
            result = invoke(["build", *selection, "--vars", json.dumps(AS_OF)], manifest=manifest)
        assert result.success, messages(result)
        database.insert("enhancement_tasks", TASK)
    assert generations(database) == 2
