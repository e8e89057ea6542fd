"""Another app's tables through a mapping: its names, types, words and schemas, and exact marts."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from local_postgres.server import Server
from tests.mapping.foreign import STUDIO, STUDIO_MAPPING, Foreign, foreign_app


@pytest.fixture(scope="module")
def unbuilt(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """A studio's database before any run."""
    with foreign_app(server, tmp_path_factory.mktemp("studio"), STUDIO) as app:
        yield app


@pytest.fixture(scope="module")
def studio(unbuilt: Foreign) -> Foreign:
    """The same, built once through its mapping."""
    unbuilt.map(STUDIO_MAPPING)
    printed = unbuilt.build()
    assert printed.success, printed.text
    return unbuilt


def changed(
    columns: dict[str, dict[str, Any]] | None = None, values: dict[str, Any] | None = None
) -> str:
    """The studio's mapping with other columns of some tables, and other rows of some seeds."""
    mapping = yaml.safe_load(STUDIO_MAPPING)
    [source] = mapping["sources"]
    source["config"]["meta"]["values"] |= values or {}
    for table in source["tables"]:
        table["meta"]["columns"] |= (columns or {}).get(table["name"], {})
    return yaml.safe_dump(mapping)


BAD_COLUMNS = {
    "credit_transactions": {
        "id": "ledger_id",
        "user_id": "reason",
        "credits_used": None,
        "colour": "reason",
        "cost_usd": {"expression": "delta +"},
        "status": {"expression": "(delete from wallet.plans returning name)"},
        "provider": {"expression": "reason) as x from wallet.plans; drop table wallet.plans; --"},
        "enhancement_type": {"expression": "pg_catalog.set_config('a.b', 'c', false), reason"},
    },
    "enhancement_tasks": {
        "user_id": {"expression": "wallet.take(1)"},
        "provider": {"expression": "(select key from wallet.secrets)"},
        "cost_usd": {"expression": "error ->> 'cost'"},
        "created_at": {"expression": '1000 * extract(epoch from "startedAt")'},
        "updated_at": ["startedAt"],
        "error_message": {"expression": 'wallet."spy"(1)'},
        "enhancement_type": {"expression": "cast(kind as wallet.bait)"},
    },
}
BAD_VALUES = {
    "transaction_kinds": [
        {"transaction_type": "usage", "transaction_kind": "spend"},
        {"transaction_type": "usage", "transaction_kind": "grant", "direction": -1},
        {"transaction_type": "payback", "kind": "refund"},
    ],
    "statuses": [{"app_status": "RUNNING", "status": "running"}, {"app_status": "SUCCEEDED"}],
    "providers": [{"provider": "veo", "is_current": "yes"}],
    "provider_prices": [{"provider": "veo", "valid_from": "May", "price_usd": -1, "credits": 1}],
    "kinds": [],
}
WRITER = """
create function wallet.take(int) returns text language sql
    as 'update wallet.accounts set credits = credits - $1 returning account_id';
grant update on wallet.accounts to paygen;
create table wallet.secrets (key text);
drop role if exists mapping_stranger;
create role mapping_stranger;
create function wallet.spy(int) returns text language plpgsql as $$ begin raise 'spied'; end $$;
alter function wallet.spy owner to mapping_stranger;
create domain wallet.bait as text;
alter domain wallet.bait owner to mapping_stranger;
"""
OTHER_META = "meta:\n      value: 1\n      values:"
SENTENCES = (
    r"meta of the source: there is no `value`, only values",
    r"wallet\.credit_ledger has no column ledger_id, which mapping/app\.yml names for id of"
    r" credit_transactions: it has entry_id, account_id, delta, reason, ref, created",
    r"column reason is read as both transaction_type and user_id of credit_transactions",
    r"credits_used cannot be null",
    r"paygen has no column colour of credit_transactions, only id, ",
    r'expression for cost_usd of credit_transactions, "delta \+", .*: syntax error',
    r"expression for status of credit_transactions, .*: syntax error",
    r"expression for provider of credit_transactions, .*: syntax error at or near \";\"",
    r"has type record, which cannot be read exactly as text",
    r"expression for user_id of enhancement_tasks, .*: cannot execute UPDATE in a read-only",
    r"expression for provider of enhancement_tasks, .*: permission denied for table secrets",
    r"function wallet\.spy\(integer\) belongs to mapping_stranger, who is not trusted, and was not"
    r" called: alter function wallet\.spy\(integer\) owner to paygen",
    r"type wallet\.bait belongs to mapping_stranger, who is not trusted",
    r"there is no table wallet\.acounts .*; did you mean wallet\.accounts\?",
    r"has type text, which cannot be read exactly as numeric: say how to read it in"
    r" mapping/app\.yml, under meta, columns of enhancement_tasks",
    r"has type numeric, which cannot be read exactly as timestamptz",
    r"updated_at is '\['startedAt'\]': it must be the app's column, null, or",
    r"transaction_kinds 1: transaction_kind is 'spend': it must be one of generation_charge, ",
    r"transaction_kinds 2: direction is '-1', and that of a grant is 1: leave it out",
    r"transaction_kinds 3: there is no `kind`, only transaction_type, ",
    r"transaction_kinds 3: transaction_kind is missing",
    r"statuses 1: status is 'running': it must be one of pending, processing, completed, ",
    r"statuses 2: neither status nor ledger_effect says what SUCCEEDED means",
    r"providers 1: is_current is 'yes': it must be one of true, false",
    r"provider_prices 1: valid_from is 'May': it must be a day",
    r"provider_prices 1: price_usd is '-1': it must be a number of at least 0",
    r"values: there is no `kinds`, only transaction_kinds, ",
)


def test_each_fault_of_a_mapping_is_a_sentence(unbuilt: Foreign) -> None:
    """All at once, naming place and next step; nothing is built, nothing of the app's changed."""
    before = unbuilt.relations()
    unbuilt.database.execute(WRITER)
    text = changed(BAD_COLUMNS, BAD_VALUES).replace("meta:\n      values:", OTHER_META)
    assert OTHER_META in text
    unbuilt.map(text.replace("identifier: accounts", "identifier: acounts"))
    printed = unbuilt.build()
    assert not printed.success
    assert [each for each in SENTENCES if not re.search(each, printed.text)] == []
    assert unbuilt.relations() == before
    assert "spied" not in printed.text
    unbuilt.database.execute(
        "revoke update on wallet.accounts from paygen;"
        "drop owned by mapping_stranger; drop role mapping_stranger"
    )
    assert unbuilt.rows("select sum(credits) from wallet.accounts") == [("28.5",)]
    assert unbuilt.rows("select count(*) from wallet.plans") == [(2,)]


def test_marts_are_exact(studio: Foreign) -> None:
    """Each figure as worked out by hand from the studio's eight ledger rows and four jobs."""
    assert studio.rows(
        "select month_start::text, generations, completed_generations, failed_generations,"
        " in_flight_generations, credits_used, credits_refunded"
        " from analytics.monthly_usage order by 1"
    ) == [("2024-04-01", 1, 1, 0, 0, "2.5", "0"), ("2024-05-01", 3, 1, 1, 1, "5", "2.5")]
    assert studio.rows(
        "select month_start::text, vendor_cost_usd, list_cost_usd"
        " from analytics.monthly_cost order by 1"
    ) == [("2024-04-01", "0.04", "0.04"), ("2024-05-01", "0.04", "0.04")]
    assert studio.rows(
        "select generation_id, user_id, provider, enhancement_type, status, duration_seconds,"
        " credits_used, recorded_cost_usd, error_message from analytics.fct_generations order by 1"
    ) == [
        ("job_0", "user_bob", "flux", "still", "completed", "9", "2.5", "0.04", None),
        ("job_1", "user_ann", "flux", "still", "completed", "20", "2.5", "0.04", None),
        ("job_2", "user_ann", "flux", "still", "failed", "5", "2.5", "0.04", "timeout"),
        ("job_3", "user_bob", "veo", "clip", "processing", None, "0", None, None),
    ]
    assert studio.rows(
        "select user_id, subscription_tier, tier_monthly_credits, app_balance, ledger_balance,"
        " drift from analytics.credit_balance_reconciliation order by 1"
    ) == [
        ("user_ann", "studio", "99.5", "27", "27", "0"),
        ("user_bob", "hobby", "10", "1.5", "1.5", "0"),
    ]
    assert studio.rows(
        "select month_start::text, provider, provider_name, generations"
        " from analytics.monthly_provider_breakdown order by 1, 2"
    ) == [
        ("2024-04-01", "flux", "FLUX", 1),
        ("2024-04-01", "veo", "veo", 0),
        ("2024-05-01", "flux", "FLUX", 2),
        ("2024-05-01", "veo", "veo", 1),
    ]
    assert studio.rows("select finding_type from analytics.credit_audit_findings") == []
    assert studio.rows("select reject_reason from analytics.rejected_rows") == []
