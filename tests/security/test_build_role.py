"""What the build role needs, what it may not do, and what never leaves the app's tables."""

import re

from tests.app_database import BUILD_ROLE, AppDatabase, messages
from tests.table_shapes import loosen

SECRETS = {
    "e-mail": "ann.example@mail.example",
    "prompt": "portrait of my neighbour in a red coat",
    "image": "https://cdn.example/users/42/face.png",
    "key": "sk_live_51HxAbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
}


def built(database: AppDatabase) -> list[str]:
    """Every relation in the analytics schemas, seeds aside."""
    rows = database.query(
        "select pg_class.oid::regclass::text as name from pg_class"
        " inner join pg_namespace on pg_namespace.oid = relnamespace"
        " where nspname like 'analytics%%' and nspname <> 'analytics_seeds'"
        " and relkind in ('r', 'v')",
        (),
    )
    return [row["name"] for row in rows]


def fill_with_secrets(database: AppDatabase) -> None:
    """Put each secret into every free text of the app's tables, a failed task among them."""
    database.execute(
        "alter table enhancement_tasks add prompt text, add input_image_url text;"
        "alter table credit_transactions add metadata jsonb"
    )
    everything = " ".join(
        [SECRETS["e-mail"], SECRETS["image"], "Authorization: Bearer", SECRETS["key"]]
    )
    task = "00000000-0000-0000-0000-000000000001"
    user = "00000000-0000-0000-0000-0000000000aa"
    database.insert(
        "enhancement_tasks",
        {
            "id": task,
            "user_id": user,
            "provider": "nanobanana",
            "status": "failed",
            "enhancement_type": "image_gen",
            "error_message": f"upload failed for {everything}",
            "result_url": SECRETS["image"],
            "prompt": SECRETS["prompt"],
            "input_image_url": SECRETS["image"],
            "created_at": "2024-11-05T10:00:00Z",
        },
    )
    database.insert(
        "credit_transactions",
        {
            "user_id": user,
            "transaction_type": "deduction",
            "credits_used": 2,
            "provider": "nanobanana",
            "enhancement_type": "image_gen",
            "api_request_id": task,
            "error_message": everything,
            "metadata": f'{{"prompt": "{SECRETS["prompt"]}"}}',
            "created_at": "2024-11-05T10:00:01Z",
        },
    )
    database.insert(
        "system_alerts", {"type": "other", "level": "error", "message": f"{everything}"}
    )
    database.insert(
        "api_providers",
        {
            "name": "wavespeed",
            "base_url": SECRETS["image"],
            "api_key_encrypted": SECRETS["key"],
            "cost_per_request": 1,
        },
    )


def test_no_mart_holds_what_is_personal_or_secret(database: AppDatabase) -> None:
    """E-mail addresses, prompts, image URLs and keys in the source's texts reach no mart."""
    fill_with_secrets(database)
    database.dbt("build", "--resource-type", "model", "seed")
    marts = [name for name in built(database) if name.startswith("analytics.")]
    assert "analytics.fct_generations" in marts
    rows = [
        str(row["row"])
        for mart in marts
        for row in database.query(f"select to_jsonb(mart)::text as row from {mart} as mart")
    ]
    assert any("upload failed for" in row for row in rows)
    for kind, secret in SECRETS.items():
        assert not [row for row in rows if secret in row], kind


def test_row_level_security_stops_the_build(any_database: AppDatabase) -> None:
    """A role that row-level security hides rows from is told so, and nothing is built."""
    any_database.execute(f"alter role {BUILD_ROLE} nobypassrls")
    try:
        result = any_database.dbt("build", expect_success=False)
    finally:
        any_database.execute(f"alter role {BUILD_ROLE} bypassrls")
    assert not result.success
    for table in ("enhancement_tasks", "credit_transactions", "user_credits"):
        sentence = f'row-level security hides rows of table "public"."{table}" from role paygen'
        assert sentence in messages(result)
    assert "system_alerts" not in messages(result)
    assert built(any_database) == []


def test_a_table_that_may_not_be_read_stops_the_build(database: AppDatabase) -> None:
    """The missing grant is named in a sentence that mends it; so is a view that lacks one below."""
    database.execute(
        f"""revoke select on user_credits from {BUILD_ROLE};
            alter table enhancement_tasks rename to hidden_tasks;
            create view enhancement_tasks with (security_invoker) as select * from hidden_tasks;
            revoke select on hidden_tasks from {BUILD_ROLE};
            alter table credit_transactions rename to kept_transactions;
            create materialized view credit_transactions as
                select * from kept_transactions with no data;
            grant select on enhancement_tasks, credit_transactions to {BUILD_ROLE}"""
    )
    said = messages(database.dbt("build", expect_success=False))
    assert "may not read table" in said
    assert "user_credits" in said
    assert 'cannot read "public"."enhancement_tasks" ("permission denied for table hidden_' in said
    assert 'credit_transactions" has not been populated' in said
    assert built(database) == []


def test_the_build_role_may_do_nothing_else(database: AppDatabase) -> None:
    """It creates neither schemas nor objects of the app's and writes to none of its tables."""
    fill_with_secrets(database)
    database.dbt("build", "--resource-type", "model", "seed")
    (role,) = database.query(
        "select rolsuper, rolcreaterole, rolcreatedb, rolreplication,"
        " has_database_privilege(rolname, current_database(), 'create') as creates_schemas,"
        " has_schema_privilege(rolname, 'public', 'create') as creates_tables,"
        " has_table_privilege(rolname, 'public.user_credits', 'insert, update, delete') as writes,"
        " has_table_privilege(rolname, 'public.api_providers', 'select') as reads_keys"
        " from pg_roles where rolname = %s",
        (BUILD_ROLE,),
    )
    assert not any(role.values()), role


def test_a_hidden_id_still_joins(database: AppDatabase) -> None:
    """An address as a request id is a hash on both sides, so the charge finds its task."""
    loosen(database)
    database.insert(
        "enhancement_tasks",
        {
            "id": "anna@mail.example",
            "provider": "wan",
            "status": "completed",
            "created_at": "2024-05-01T12:00:00Z",
        },
    )
    database.insert(
        "credit_transactions",
        {
            "id": "charge",
            "transaction_type": "deduction",
            "credits_used": 20,
            "api_request_id": " anna@mail.example",
            "created_at": "2024-05-01T12:00:00Z",
        },
    )
    database.dbt("seed")
    database.dbt("run")
    (generation,) = database.query(
        "select generation_id, credits_used from analytics.fct_generations"
    )
    assert generation["credits_used"] == 20
    assert re.fullmatch("id-[0-9a-f]{32}", generation["generation_id"])
