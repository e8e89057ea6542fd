"""The app's functions do their work, and its policies hide rows."""

import psycopg2
import pytest

from tests.app_database import AppDatabase

USER = "00000000-0000-0000-0000-000000000001"
OTHER = "00000000-0000-0000-0000-000000000002"


@pytest.fixture
def with_user(database: AppDatabase) -> AppDatabase:
    for user in (USER, OTHER):
        database.insert(
            "user_credits", {"user_id": user, "current_balance": 10, "subscription_tier": "free"}
        )
    return database


def balance(database: AppDatabase) -> int:
    return database.query("select current_balance from user_credits where user_id = %s", [USER])[0][
        "current_balance"
    ]


def test_consume_then_refund(with_user: AppDatabase) -> None:
    with_user.execute("select consume_user_credits(%s, 2, 'image_gen')", [USER])
    assert balance(with_user) == 8
    with_user.execute("select refund_user_credits(%s, 2, 'image_gen')", [USER])
    assert balance(with_user) == 10
    ledger = with_user.query(
        "select transaction_type, credits_used, provider, api_request_id from credit_transactions "
        "order by created_at"
    )
    assert [tuple(row.values()) for row in ledger] == [
        ("deduction", 2, None, None),
        ("refund", 2, None, None),
    ]


def test_nobody_spends_more_than_the_balance(with_user: AppDatabase) -> None:
    (row,) = with_user.query("select consume_user_credits(%s, 11) as done", [USER])
    assert row["done"] is False
    assert balance(with_user) == 10
    assert not with_user.query("select id from credit_transactions")
    with pytest.raises(psycopg2.errors.RaiseException, match="must be positive"):
        with_user.execute("select consume_user_credits(%s, -5)", [USER])


def test_the_pool_function_and_its_live_namesake(database: AppDatabase) -> None:
    database.insert(
        "credit_pools", {"provider": "wavespeed", "cost_per_credit": 1, "available_balance": 101}
    )
    database.insert("platform_credits", {"provider": "wavespeed", "credits_remaining": 1})
    database.execute("select consume_platform_credits('wavespeed', 2, 0.1)")
    live = "select consume_platform_credits('wavespeed', %s, 2, 'image_gen', null, null) as done"
    assert [database.query(live, [USER])[0]["done"] for _ in range(2)] == [True, False]
    assert database.query("select type from system_alerts") == [{"type": "low_platform_credits"}]
    (row,) = database.query("select sync_analytics_data() as snapshot")
    assert row["snapshot"]["pools"] == {"wavespeed": 99}
    assert len(database.query("select id from platform_credit_consumption")) == 1


def test_a_user_sees_own_rows_only(with_user: AppDatabase) -> None:
    with with_user.connect() as connection, connection.cursor() as cursor:
        cursor.execute("set role authenticated")
        cursor.execute("select count(*) from user_credits")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "select set_config('request.jwt.claims', %s, false)", [f'{{"sub":"{USER}"}}']
        )
        cursor.execute("select user_id from user_credits")
        assert cursor.fetchall() == [(USER,)]
        cursor.execute("set role anon")
        cursor.execute("select count(*) from user_credits")
        assert cursor.fetchone() == (0,)


def test_the_build_role_reads_four_tables_and_creates_nothing_else(with_user: AppDatabase) -> None:
    assert len(with_user.query("select user_id from user_credits", user="paygen")) == 2
    for forbidden in (
        "select api_key_encrypted from api_providers",
        "select id from auth.users",
        "delete from user_credits",
        "create table public.mine (id integer)",
        "create schema mine",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with_user.execute(forbidden, user="paygen")


def test_the_default_purchase_status_does_not_fit(database: AppDatabase) -> None:
    with pytest.raises(psycopg2.errors.StringDataRightTruncation):
        database.insert(
            "credit_purchase_requests",
            {"provider": "wavespeed", "amount_requested": 1, "estimated_cost": 1},
        )
