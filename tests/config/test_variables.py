"""Each variable changes what docs/variables.md says it changes."""

from decimal import Decimal
from typing import Any

import pytest

from local_postgres.server import Server
from tests.app_database import BUILD_ROLE, AppDatabase
from tests.conftest import make_database

AS_OF = {"as_of": "2024-12-04T00:00:00Z"}
USER = "00000000-0000-0000-0000-0000000000aa"
COMPLETED, FAILED, RUNNING = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2, 3))

# A completed and a failed generation of the month's last evening, one that is running, a bare
# charge 200 s before the completed one's, and a refund, 10 h after the failure, that names nothing.
TASKS = [
    (COMPLETED, "completed", "2024-11-30T23:30:00Z", "0.025"),
    (FAILED, "failed", "2024-11-30T23:40:00Z", "0.025"),
    (RUNNING, "processing", "2024-12-03T23:40:00Z", None),
]
CHARGES = [
    ("deduction", COMPLETED, 2, "0.10", "nanobanana", "2024-11-30T23:30:00Z"),
    ("deduction", FAILED, 2, "0.10", "nanobanana", "2024-11-30T23:40:00Z"),
    ("deduction", None, 2, None, None, "2024-11-30T23:26:40Z"),
    ("refund", None, 2, None, None, "2024-12-01T09:40:00Z"),
]


def fill(database: AppDatabase) -> None:
    """Write the four tables' rows."""
    for task_id, status, created_at, cost_usd in TASKS:
        database.insert(
            "enhancement_tasks",
            {
                "id": task_id,
                "user_id": USER,
                "provider": "nanobanana",
                "status": status,
                "enhancement_type": "image_gen",
                "cost_usd": cost_usd,
                "created_at": created_at,
            },
        )
    for kind, request_id, credits, cost_usd, provider, created_at in CHARGES:
        database.insert(
            "credit_transactions",
            {
                "user_id": USER,
                "transaction_type": kind,
                "api_request_id": request_id,
                "credits_used": credits,
                "cost_usd": cost_usd,
                "provider": provider,
                "enhancement_type": "image_gen",
                "created_at": created_at,
            },
        )


def build(database: AppDatabase, variables: dict[str, Any], **options: Any) -> None:
    """Build everything anew with the variables in dbt_project.yml, data tests left out."""
    flags = ("--full-refresh", "--resource-type", "model", "seed")
    database.dbt("build", *flags, settings={**AS_OF, **variables}, **options)


@pytest.fixture(scope="module")
def filled(server: Server) -> AppDatabase:
    """One database for the module: each test rebuilds it as a whole."""
    database = make_database(server)
    fill(database)
    return database


NOVEMBER_COST = "select vendor_cost_usd from analytics.monthly_cost order by month_start limit 1"
NOVEMBER_MARGIN = "select gross_margin_usd from analytics.monthly_cost order by month_start limit 1"
NOVEMBER_USAGE = "select generations from analytics.monthly_usage order by month_start limit 1"
CREDITS_USED = "select sum(credits_used)::int from analytics.fct_generations"
FINDINGS = "select count(*) from analytics.credit_audit_findings where finding_type = "
UNREFUNDED = FINDINGS + "'failed_not_refunded'"
MISMATCHES = FINDINGS + "'cost_mismatch'"
STUCK = "select stuck_generations from analytics.dashboard_overview"


@pytest.mark.parametrize(
    ("variables", "answers"),
    [
        (
            {"shadow_charge_window_seconds": 200, "refund_window_hours": 10},
            {
                NOVEMBER_COST: Decimal("0.10"),
                NOVEMBER_MARGIN: Decimal("-0.02"),  # 4 credits at 0.02, less 0.10
                NOVEMBER_USAGE: 2,
                CREDITS_USED: 4,
                UNREFUNDED: 0,
                MISMATCHES: 2,
                STUCK: 0,
            },
        ),
        (
            {"vendor_cost_basis": "task", "shadow_charge_window_seconds": 199},
            {NOVEMBER_COST: Decimal("0.025"), CREDITS_USED: 6},
        ),
        (
            {"vendor_cost_basis": "list", "refund_window_hours": 9, "stuck_after_minutes": 19},
            {NOVEMBER_COST: Decimal("0.038"), UNREFUNDED: 1, STUCK: 1},
        ),
        (
            {"failed_generations_are_billed": True, "credit_price_usd": 0.05},
            {NOVEMBER_COST: Decimal("0.20"), NOVEMBER_MARGIN: Decimal("0.00")},
        ),
        # 23:30 UTC is half past midnight in Berlin: everything happened in December.
        (
            {"reporting_timezone": "Europe/Berlin", "cost_tolerance_usd": 0.062},
            {"select count(*) from analytics.monthly_usage": 1, MISMATCHES: 0},
        ),
        ({"as_of": "2024-12-01T00:00:00Z"}, {UNREFUNDED: 1, NOVEMBER_USAGE: 2}),
    ],
)
def test_variables_change_what_they_say(
    filled: AppDatabase, variables: dict[str, Any], answers: dict[str, object]
) -> None:
    """The first case holds the defaults' answers and both ends of the windows."""
    build(filled, variables)
    found = {question: next(iter(filled.query(question)[0].values())) for question in answers}
    assert found == answers


def test_the_app_may_live_in_another_schema_under_other_names(server: Server) -> None:
    """`app_schema` and the three table names move the sources, and nothing else."""
    database = make_database(server)
    fill(database)
    database.execute(
        "create schema product;"
        f"grant usage on schema product to {BUILD_ROLE};"
        "alter table enhancement_tasks set schema product;"
        "alter table product.enhancement_tasks rename to jobs;"
        "alter table credit_transactions set schema product;"
        "alter table product.credit_transactions rename to ledger;"
        "alter table user_credits set schema product;"
        "alter table product.user_credits rename to balances"
    )
    names = {
        "app_schema": "product",
        "enhancement_tasks_table": "jobs",
        "credit_transactions_table": "ledger",
        "user_credits_table": "balances",
    }
    build(database, names, parse=True)
    (row,) = database.query("select count(*) as generations from analytics.fct_generations")
    assert row["generations"] == len(TASKS)
