"""Runs and operations over a mapped app: scheduled, without a table, under another mapping."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from local_postgres.server import Server
from tests.mapping.foreign import STUDIO, STUDIO_MAPPING, Foreign, foreign_app

pytestmark = pytest.mark.long
ALL = ("build", "--exclude-resource-type", "unit_test")
FULL = (*ALL, "--full-refresh")
USAGE = (
    "select month_start::text, generations, completed_generations, failed_generations,"
    " in_flight_generations, credits_used, credits_refunded, active_users"
    " from analytics.monthly_usage order by 1"
)
COST = (
    "select month_start::text, vendor_cost_usd, credit_revenue_usd, gross_margin_usd"
    " from analytics.monthly_cost order by 1"
)
BALANCES = (
    "select user_id, subscription_tier, app_balance, ledger_balance, drift"
    " from analytics.credit_balance_reconciliation order by 1"
)
FINDINGS = "select finding_type, generation_id from analytics.credit_audit_findings order by 1, 2"
CIRCULATION = (
    "select users_with_credits, total_credits_in_circulation from analytics.dashboard_overview"
)


@pytest.fixture
def app(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """The studio's database before any run, with its mapping."""
    with foreign_app(server, tmp_path_factory.mktemp("studio"), STUDIO) as foreign:
        foreign.map(STUDIO_MAPPING)
        yield foreign


def without(*missing: str) -> str:
    """The studio's mapping, of an app that has not some of the tables."""
    mapping = yaml.safe_load(STUDIO_MAPPING)
    [source] = mapping["sources"]
    source["tables"] = [each for each in source["tables"] if each["name"] not in missing]
    source["tables"] += [{"name": name, "meta": {"missing": True}} for name in missing]
    return yaml.safe_dump(mapping)


def with_kinds(**kinds: str) -> str:
    """The studio's mapping with other kinds of some types."""
    mapping: dict[str, Any] = yaml.safe_load(STUDIO_MAPPING)
    for row in mapping["sources"][0]["config"]["meta"]["values"]["transaction_kinds"]:
        row["transaction_kind"] = kinds.get(
            row["transaction_type"].lower(), row["transaction_kind"]
        )
    return yaml.safe_dump(mapping)


def test_a_ledger_only(app: Foreign) -> None:
    """Charges are the generations, completed for all that is known; the run says what lacks."""
    app.database.execute("drop table studio.jobs")
    app.map(without("enhancement_tasks"))
    printed = app.build(*ALL)
    assert printed.success, printed.text
    assert "has no enhancement_tasks: each charge is a generation" in printed.text
    assert app.rows(USAGE) == [
        ("2024-04-01", 1, 1, 0, 0, "2.5", "0", 1),
        ("2024-05-01", 2, 2, 0, 0, "5", "2.5", 1),
    ]
    assert app.rows(COST) == [
        ("2024-04-01", "0", "0.05", "0.05"),
        ("2024-05-01", "0", "0.05", "0.05"),
    ]
    assert app.rows(BALANCES) == [
        ("user_ann", "studio", "27", "27", "0"),
        ("user_bob", "hobby", "1.5", "1.5", "0"),
    ]
    assert app.rows(FINDINGS) == [("refunded_but_completed", "job_2")]
    assert app.rows(
        "select distinct ended_at, duration_seconds, error_message from analytics.fct_generations"
    ) == [(None, None, None)]


def test_tasks_only(app: Foreign) -> None:
    """No credit was used or given back, nothing is owed, no balance has a ledger to agree with."""
    app.database.execute("drop table wallet.credit_ledger")
    app.map(without("credit_transactions"))
    printed = app.build(*ALL)
    assert printed.success, printed.text
    assert "has no credit_transactions: credits used and refunded" in printed.text
    usage = [
        ("2024-04-01", 1, 1, 0, 0, "0", "0", 1),
        ("2024-05-01", 3, 1, 1, 1, "0", "0", 2),
    ]
    assert app.rows(USAGE) == usage
    assert app.rows(COST) == [
        ("2024-04-01", "0.04", "0", "-0.04"),
        ("2024-05-01", "0.04", "0", "-0.04"),
    ]
    assert app.rows(BALANCES) == [
        ("user_ann", "studio", "27", None, None),
        ("user_bob", "hobby", "1.5", None, None),
    ]
    assert app.rows(FINDINGS) == []
    assert app.rows(CIRCULATION) == [(2, "28.5")]
    assert app.build("build", "--selector", "frequent").success
    assert app.rows(USAGE) == usage


def test_no_balances(app: Foreign) -> None:
    """The ledger's balances are there, and none of the app's."""
    app.database.execute("drop table wallet.accounts")
    app.map(without("user_credits"))
    printed = app.build(*ALL)
    assert printed.success, printed.text
    assert "has no user_credits: users with credits" in printed.text
    assert app.rows(BALANCES) == [
        ("user_ann", None, None, "27", None),
        ("user_bob", None, None, "1.5", None),
    ]
    assert app.rows(FINDINGS) == []
    assert app.rows(CIRCULATION) == [(0, "0")]


def test_neither_tasks_nor_ledger(app: Foreign) -> None:
    """Nothing is left to count: refused."""
    app.map(without("enhancement_tasks", "credit_transactions"))
    printed = app.build()
    assert "has neither enhancement_tasks nor credit_transactions" in printed.text
    assert app.relations() == []


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        (
            {"topup": "generation_charge"},
            "rows of transaction_type topup are a generation_charge, but they raise balances: its"
            " amounts are positive, and those of usage negative",
        ),
        (
            {"usage": "grant"},
            "rows of transaction_type usage are a grant, but they lower balances: its amounts are"
            " negative, and those of topup positive",
        ),
        (
            {"usage": "grant", "topup": "generation_charge"},
            "rows of transaction_type topup are a generation_charge, but they raise balances",
        ),
    ],
)
def test_kinds_that_signed_amounts_contradict(
    app: Foreign, kinds: dict[str, str], sentence: str
) -> None:
    """Before anything is built; also where the mapping takes the sign away."""
    for text in (
        with_kinds(**kinds),
        with_kinds(**kinds).replace(
            "credits_used: delta", "credits_used: {expression: 'abs(delta)'}"
        ),
    ):
        app.map(text)
        printed = app.build()
        assert sentence in printed.text
        assert "name their kind under values, transaction_kinds" in printed.text
        assert app.relations() == []


def test_kinds_that_balances_contradict(app: Foreign) -> None:
    """Amounts without a sign say nothing, the ledger's own balance does."""
    app.database.execute(
        "alter table wallet.credit_ledger add balance_after numeric;"
        "update wallet.credit_ledger as row set delta = abs(delta), balance_after = sums.balance"
        " from (select entry_id, sum(delta) over (partition by account_id order by created)"
        " as balance from wallet.credit_ledger) as sums where sums.entry_id = row.entry_id"
    )
    app.map(with_kinds(payback="generation_charge"))
    printed = app.build()
    assert (
        "rows of transaction_type payback are a generation_charge, but they raise balances: the"
        " balances in the ledger rise with 1 of its rows" in printed.text
    )
    assert app.relations() == []


def test_another_mapping_asks_for_a_full_refresh(app: Foreign) -> None:
    """History that was built under one mapping takes no rows of another."""
    assert app.build().success
    app.map(with_kinds(payback="grant"))
    printed = app.build("build", "--selector", "frequent")
    assert re.search(
        r"run once with --full-refresh:\s+- the mapping was \w{12} and is \w{12}", printed.text
    )
    printed = app.build("run", "--full-refresh")
    assert "seed transaction_kinds lacks rows of mapping/app.yml" in printed.text
    assert app.build(*FULL).success
    assert [row[6] for row in app.rows(USAGE)] == ["0", "0"]
    app.map(with_kinds(payback="grant").replace("99.5", "100"))
    assert app.build("build", "--selector", "frequent").success
    app.file.unlink()
    printed = app.build("build", "--selector", "frequent")
    assert not printed.success
    assert app.build("ls").success


def test_scheduled_runs_and_operations(app: Foreign, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever reads the app's tables reads those: runs, repairs, freshness, indexes, users."""
    assert app.build(*ALL).success
    app.database.execute(
        """
        insert into studio.jobs values ('job_4', 'user_bob', 'veo', 'SUCCEEDED', null, 9, 'clip',
            '2024-05-19 10:00', '2024-05-19 10:01');
        update studio.jobs set state = 'SUCCEEDED', "finishedAt" = '2024-05-12 10:02'
            where "jobId" = 'job_3';
        insert into wallet.credit_ledger values
            (9, 'user_bob', -1.5, 'usage', '{"job": "job_4"}', '2024-05-19 10:00Z');
        """
    )
    printed = app.build("build", "--selector", "frequent")
    assert printed.success, printed.text
    assert app.rows(USAGE)[1] == ("2024-05-01", 4, 3, 1, 0, "6.5", "2.5", 2)
    app.database.execute("delete from studio.jobs where \"jobId\" = 'job_0'")
    printed = app.build("run-operation", "reconcile")
    assert re.search(r"2024-04-30", printed.text), printed.text
    printed = app.build(*ALL)
    assert printed.success, printed.text
    assert app.rows(USAGE)[0] == ("2024-04-01", 1, 1, 0, 0, "2.5", "0", 1)
    assert app.rows("select record_source from analytics.fct_generations order by created_at")[
        0
    ] == ("charge",)
    printed = app.build("source", "freshness")
    assert printed.success, printed.text
    capsys.readouterr()
    assert app.build("run-operation", "advise_indexes").success
    advice = re.findall("create index concurrently .*;", capsys.readouterr().out)
    assert advice == [
        'create index concurrently on "studio"."jobs" (("startedAt" at time zone \'UTC\'));',
        'create index concurrently on "wallet"."credit_ledger" (created);',
    ]
    for index in advice:
        app.database.execute(index)
    assert app.build("run-operation", "advise_indexes").success
    assert "create index" not in capsys.readouterr().out
    printed = app.build("run-operation", "forget_user", "--args", "{user_id: user_bob}")
    assert printed.success, printed.text
    assert app.rows(
        "select count(*) from analytics.fct_generations where user_id = 'user_bob'"
    ) == [(0,)]


def test_rows_that_are_hidden_and_a_table_that_may_not_be_read(app: Foreign) -> None:
    """Of a table in a schema of its own too."""
    app.database.execute(
        "alter table studio.jobs enable row level security;"
        "alter table wallet.plans enable row level security;"
        "revoke select on wallet.credit_ledger from paygen; alter role paygen nobypassrls"
    )
    try:
        printed = app.build()
    finally:
        app.database.execute("alter role paygen bypassrls")
    assert 'row-level security hides rows of table "studio"."jobs"' in printed.text
    assert 'row-level security hides rows of table "wallet"."plans"' in printed.text
    assert "permission denied for table credit_ledger: grant select on it to paygen" in printed.text
    assert app.relations() == []


TWO_TABLES = """
create table studio.clips (like studio.jobs including all);
insert into studio.clips select * from studio.jobs where kind = 'clip';
delete from studio.jobs where kind = 'clip';
grant select on studio.clips to paygen;
"""
UNITED = """
    select "jobId", "ownerId", model, state, error, cost_cents, kind, "startedAt", "finishedAt"
    from studio.jobs
    union all
    select "jobId", "ownerId", model, state, error, cost_cents, kind, "startedAt", "finishedAt"
    from studio.clips
"""


def with_rows(rows: Any, **more: str) -> str:
    """The studio's mapping with a query in the place of the task table, and perhaps more keys."""
    mapping: dict[str, Any] = yaml.safe_load(STUDIO_MAPPING)
    for table in mapping["sources"][0]["tables"]:
        if table["name"] == "enhancement_tasks":
            table.pop("identifier")
            table["meta"].pop("schema")
            table["meta"]["rows"] = rows
            table |= more
    return yaml.safe_dump(mapping)


def test_a_query_in_the_place_of_a_table(app: Foreign, capsys: pytest.CaptureFixture[str]) -> None:
    """Two tables as one: the same figures as of one table, in later runs too."""
    app.map(STUDIO_MAPPING)
    assert app.build(*FULL).success
    expected = [app.rows(query) for query in (USAGE, COST, BALANCES, FINDINGS)]
    app.database.execute(TWO_TABLES)
    app.map(with_rows(UNITED))
    printed = app.build(*FULL)
    assert printed.success, printed.text
    assert [app.rows(query) for query in (USAGE, COST, BALANCES, FINDINGS)] == expected
    app.database.execute(
        "update studio.clips set state = 'SUCCEEDED', \"finishedAt\" = '2024-05-12 10:01';"
        "insert into wallet.credit_ledger values"
        " (9, 'user_bob', -1, 'usage', '{\"job\": \"job_3\"}', '2024-05-12 10:01Z')"
    )
    printed = app.build(*ALL[:1], "--selector", "frequent")
    assert printed.success, printed.text
    assert app.rows(USAGE)[1] == ("2024-05-01", 3, 2, 1, 0, "6", "2.5", 2)
    assert app.build("run-operation", "advise_indexes").success
    assert 'on "studio"."clips"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            "select from studio.nothing",
            r"the rows of enhancement_tasks in mapping/app\.yml cannot be"
            r" read: relation \"studio\.nothing\" does not exist",
        ),
        ("delete from studio.jobs returning *", "the rows of enhancement_tasks .*: syntax error"),
        ("select * from studio.jobs; drop table studio.jobs", "cannot be read: syntax error"),
        (["studio.jobs"], r"rows is '\['studio.jobs'\]': it must be a query"),
        ('select "jobId" from studio.jobs', "no column ownerId, which"),
        (UNITED, 'row-level security hides rows of table "studio"."clips"'),
    ],
)
def test_a_query_that_cannot_be_read(app: Foreign, rows: Any, sentence: str) -> None:
    app.database.execute(TWO_TABLES)
    app.map(with_rows(rows))
    app.database.execute(
        "alter table studio.clips enable row level security; alter role paygen nobypassrls"
    )
    try:
        printed = app.build()
    finally:
        app.database.execute("alter role paygen bypassrls")
    assert re.search(sentence, printed.text)
    assert app.relations() == []
    assert app.rows("select count(*) from studio.jobs") == [(3,)]


def test_an_expression_that_fails_far_down_is_found_before_history_is_built(app: Foreign) -> None:
    app.database.execute(
        "insert into studio.jobs select 'old_' || n, 'user_bob', 'veo', 'SUCCEEDED',"
        " jsonb_build_object('cost', case n when 2000 then 'one' else '1' end), null, 'clip',"
        " '2024-05-01', null from generate_series(1, 2000) as n"
    )
    mapping: dict[str, Any] = yaml.safe_load(STUDIO_MAPPING)
    for table in mapping["sources"][0]["tables"]:
        if table["name"] == "enhancement_tasks":
            read = "cast(error ->> 'cost' as numeric)"
            table["meta"]["columns"]["cost_usd"] = {"expression": read}
    app.map(yaml.safe_dump(mapping))
    printed = app.build()
    assert re.search(r"expression for cost_usd .*: invalid input syntax.*one", printed.text)
    assert app.relations() == []


def test_a_query_takes_the_place_of_a_table_that_is_not_named_too(app: Foreign) -> None:
    app.map(with_rows("select * from studio.jobs", identifier="jobs"))
    assert "rows are given by a query, and the table is named" in app.build().text
    assert app.relations() == []
