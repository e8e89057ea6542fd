"""The generated history: repeatable, exactly as large as asked, each defect at its rate."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from demo.generator import History, generate
from local_postgres.server import Server
from tests.app_database import AppDatabase
from tests.conftest import make_database

HISTORY = History(datetime(2026, 3, 20, 15, 30, tzinfo=UTC), generations=20_000, months=3, seed=7)
TABLES = (
    "enhancement_tasks",
    "credit_transactions",
    "user_credits",
    "system_alerts",
    "credit_pools",
    "credit_purchase_requests",
    "api_providers",
    "platform_credits",
    "auth.users",
)


def fill(database: AppDatabase, history: History) -> None:
    with database.connect() as connection:
        generate(connection, history)


def contents(database: AppDatabase) -> dict[str, tuple[int, str]]:
    """Number of rows and a digest of all of them, by table."""
    digests = {}
    for table in TABLES:
        (row,) = database.query(
            f"""
            select count(*) as n, md5(string_agg(t::text, '|' order by t::text)) as digest
            from {table} as t
            """
        )
        digests[table] = (row["n"], row["digest"])
    return digests


@pytest.fixture(scope="module")
def generated(server: Server) -> AppDatabase:
    """A database filled once; the tests here only read it."""
    database = make_database(server, "generated")
    fill(database, HISTORY)
    return database


def count(database: AppDatabase, what: str) -> int:
    return database.query(f"select count(*) as n from {what}")[0]["n"]


def test_the_number_of_generations_is_exact(generated: AppDatabase) -> None:
    tasks = {row["id"] for row in generated.query("select id::text from enhancement_tasks")}
    charges = generated.query(
        """
        select * from credit_transactions
        where transaction_type in ('deduction', 'style_application', 'video_generation')
            and enhancement_type is distinct from 'marketplace_payment'
        order by created_at, id
        """
    )
    orphans = {row["api_request_id"] for row in charges if row["api_request_id"]} - tasks
    without_id = [row for row in charges if not row["api_request_id"]]
    bare = [row for row in without_id if row["provider"] is None and row["cost_usd"] is None]
    bare_ids = {row["id"] for row in bare}
    fuller: dict[tuple, list] = {}
    for row in charges:
        if row["id"] not in bare_ids:
            kind = (row["user_id"], row["credits_used"], row["enhancement_type"])
            fuller.setdefault(kind, []).append(row["created_at"])
    shadows = 0
    for row in bare:
        kind = (row["user_id"], row["credits_used"], row["enhancement_type"])
        partners = fuller.get(kind, [])
        near = [t for t in partners if abs((t - row["created_at"]).total_seconds()) <= 300]
        if near:
            partners.remove(near[0])
            shadows += 1
    assert len(tasks) + len(orphans) + len(without_id) - shadows == HISTORY.generations
    assert shadows > 1000


def test_two_runs_agree_to_the_row(generated: AppDatabase) -> None:
    first = contents(generated)
    fill(generated, HISTORY)
    assert contents(generated) == first


def test_another_seed_gives_another_history(database: AppDatabase) -> None:
    small = replace(HISTORY, generations=300)
    fill(database, small)
    first = contents(database)
    fill(database, replace(small, seed=8))
    assert contents(database)["enhancement_tasks"] != first["enhancement_tasks"]


@pytest.mark.parametrize("generations", [1, 7, 1000])
@pytest.mark.parametrize("as_of", [datetime(2026, 3, 1, tzinfo=UTC), HISTORY.as_of])
def test_any_size_works(database: AppDatabase, generations: int, as_of: datetime) -> None:
    fill(database, History(as_of, generations, months=1))
    charges = count(
        database,
        """
        credit_transactions where transaction_type in ('style_application', 'video_generation')
            or enhancement_type = 'lighting'
            or api_request_id not in (select id::text from enhancement_tasks)
                and enhancement_type <> 'marketplace_payment' and transaction_type = 'deduction'
        """,
    )
    assert count(database, "enhancement_tasks") + charges == generations


# What is counted, of what, and the rate that says how many. `kept` are tasks with ledger rows.
FULL = "provider is not null and transaction_type = 'deduction'"
CHARGED = "exists (select from credit_transactions as c where c.api_request_id = t.id::text \
and c.transaction_type = 'deduction')"
REFUNDED = "exists (select from credit_transactions as r where r.api_request_id = t.id::text \
and r.transaction_type = 'refund')"
GENERATIONS = "generate_series(1, 20000) as t"
IMAGE_TASKS = "enhancement_tasks as t where enhancement_type <> 'video_gen'"
MISSPELLABLE = "enhancement_tasks as t where lower(trim(provider)) ~ 'nanobanan|seedream'"
CHARGES = "credit_transactions as t inner join enhancement_tasks as k \
on t.api_request_id = k.id::text where t.transaction_type = 'deduction'"
DEFECTS = {
    "charge_without_task": (
        "credit_transactions where transaction_type in ('style_application', 'video_generation')",
        GENERATIONS,
    ),
    "charge_for_missing_task": (
        f"credit_transactions as t where {FULL} and provider <> 'marketplace' and not exists "
        "(select from enhancement_tasks as k where k.id::text = t.api_request_id)",
        GENERATIONS,
    ),
    "bare_charge_alone": (
        "credit_transactions where enhancement_type = 'lighting' "
        "and transaction_type = 'deduction'",
        GENERATIONS,
    ),
    "marketplace_payment": (
        "credit_transactions where enhancement_type = 'marketplace_payment'",
        GENERATIONS,
    ),
    "cancelled": (
        "enhancement_tasks where status = 'cancelled'",
        "enhancement_tasks as t",
    ),
    "stuck": (
        "enhancement_tasks where status in ('pending', 'processing')",
        "enhancement_tasks as t",
    ),
    "provider_misspelt": (
        f"{MISSPELLABLE} and provider not in ('nanobanana', 'seedream')",
        MISSPELLABLE,
    ),
    "hard_coded_task_cost": (f"{IMAGE_TASKS} and cost_usd in (0.025, 0.05)", IMAGE_TASKS),
    "lost_ledger_insert": (
        f"enhancement_tasks as t where user_id is not null and not {CHARGED}",
        "enhancement_tasks as t where user_id is not null",
    ),
    "shadow_charge": (
        "credit_transactions where transaction_type = 'deduction' and provider is null "
        "and enhancement_type <> 'lighting'",
        f"enhancement_tasks as t where {CHARGED}",
    ),
    "double_charge": (
        "(select api_request_id from credit_transactions where transaction_type = 'deduction' "
        "and api_request_id is not null group by 1 having count(*) > 1) as t",
        f"enhancement_tasks as t where {CHARGED}",
    ),
    "hard_coded_ledger_cost": (f"{CHARGES} and t.cost_usd = 0.10", CHARGES),
    "charge_left_processing": (f"{CHARGES} and t.status = 'processing'", CHARGES),
    "refunded_but_completed": (
        f"enhancement_tasks as t where status = 'completed' and {REFUNDED}",
        f"enhancement_tasks as t where status = 'completed' and {CHARGED}",
    ),
    "double_refund": (
        "(select api_request_id from credit_transactions where transaction_type = 'refund' "
        "and api_request_id is not null group by 1 having count(*) > 1) as t",
        f"enhancement_tasks as t where status = 'failed' and {CHARGED}",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_occurs_at_its_rate(generated: AppDatabase, name: str) -> None:
    defects, population = DEFECTS[name]
    found, of = count(generated, defects), count(generated, population)
    rate = getattr(HISTORY.rates, name)
    tolerance = 4 * (rate * (1 - rate) / of) ** 0.5  # four standard errors
    assert found > 0
    assert found / of == pytest.approx(rate, abs=tolerance)


def test_a_rate_of_nothing_leaves_the_defect_out(database: AppDatabase) -> None:
    clean = replace(
        HISTORY.rates,
        shadow_charge=0,
        marketplace_payment=0,
        provider_misspelt=0,
        failed=0,
        burst_hour=0,
        refunded_but_completed=0,
        refund_without_task=0,
    )
    fill(database, replace(HISTORY, generations=2000, rates=clean))
    assert count(database, "credit_transactions where transaction_type = 'refund'") == 0
    assert count(database, "credit_transactions where provider = 'marketplace'") == 0
    assert count(database, "enhancement_tasks where provider <> lower(trim(provider))") == 0


def test_balances_are_the_ledger_save_for_lost_inserts(generated: AppDatabase) -> None:
    drifted = generated.query(
        """
        with ledger as (
            select
                user_id,
                sum(case
                    when transaction_type in ('deduction', 'style_application', 'video_generation')
                        then case
                            when provider is null and enhancement_type <> 'lighting' then 0
                            else -credits_used
                        end
                    else abs(credits_used)
                end) as credits
            from credit_transactions
            group by 1
        ),
        lost as (
            select user_id, count(*) as tasks
            from enhancement_tasks as t
            where not exists (
                select from credit_transactions as c
                where c.api_request_id = t.id::text and c.transaction_type = 'deduction'
            )
            group by 1
        )
        select
            coalesce(lost.tasks, 0) > 0 as has_lost_insert,
            coalesce(ledger.credits, 0) > current_balance as is_drifted,
            coalesce(ledger.credits, 0) < current_balance as is_short,
            current_balance < 0 as is_negative,
            count(*) as users
        from user_credits
        left join ledger using (user_id)
        left join lost using (user_id)
        group by 1, 2, 3, 4
        """
    )
    assert {(row["has_lost_insert"], row["is_drifted"]) for row in drifted} == {
        (False, False),
        (True, True),
    }
    assert not any(row["is_negative"] or row["is_short"] for row in drifted)


def test_no_row_is_younger_than_as_of(generated: AppDatabase) -> None:
    for table in ("enhancement_tasks", "credit_transactions", "system_alerts"):
        assert not generated.query(
            f"select id from {table} where created_at > %s limit 1", [HISTORY.as_of]
        )


def test_an_error_leaves_the_former_rows(database: AppDatabase) -> None:
    fill(database, replace(HISTORY, generations=50))
    before = contents(database)

    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with database.connect() as connection, pytest.raises(KeyboardInterrupt):
        generate(connection, HISTORY, interrupt)
    assert contents(database) == before
