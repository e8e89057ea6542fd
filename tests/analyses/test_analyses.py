"""Every file of `analyses/` compiles, runs as a reader of the marts, and answers rightly."""

from decimal import Decimal
from typing import Any

import pytest

from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase
from tests.conftest import make_database

AS_OF = {"as_of": "2024-12-04T12:00:00Z"}
ANN, BEN = (f"00000000-0000-0000-0000-0000000000{user}" for user in ("aa", "bb"))
TASK = "00000000-0000-0000-0000-00000000000"

# number, user, provider, enhancement type, status, created at, credits, cost
TASKS = [
    (1, ANN, "nanobanana", "image_gen", "completed", "2024-12-03T10:00Z", 2, "0.038"),
    (2, ANN, "seedream", "style", "completed", "2024-12-02T10:00Z", 2, "0.027"),
    (3, ANN, "nanobanana", "image_gen", "failed", "2024-12-03T11:00Z", 2, "0.038"),
    (4, BEN, "seedance", "video_gen", "failed", "2024-12-03T12:00Z", 12, "0.15"),
    (5, BEN, "nanobanana", "image_gen", "processing", "2024-12-04T11:00Z", 2, None),
    (6, ANN, "nanobanana", "image_gen", "completed", "2024-11-10T10:00Z", 2, "0.038"),
    (7, BEN, "nanobanana", "image_gen", "failed", "2024-12-02T09:00Z", 2, "0.038"),
]
# task, credits, created at
REFUNDS = [(3, 2, "2024-12-03T11:30Z"), (7, 1, "2024-12-02T09:30Z")]

USD = {cost: Decimal(cost) for cost in ("0", "0.027", "0.038", "0.103", "0.076")}

# Of each analysis: the columns compared, and its rows.
ANSWERS: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "overview_30_days": (
        "generations completed_generations failed_generations success_rate credits_used "
        "vendor_cost_usd refunds_issued credits_refunded",
        [(7, 3, 3, Decimal("0.5"), 24, USD["0.103"], 2, 3)],
    ),
    "usage_by_provider_30_days": (
        "provider generations success_rate credits_used vendor_cost_usd",
        [
            ("nanobanana", 5, Decimal("0.5"), 10, USD["0.076"]),
            ("seedance", 1, 0, 12, 0),
            ("seedream", 1, 1, 2, USD["0.027"]),
        ],
    ),
    "usage_by_enhancement_type_30_days": (
        "enhancement_type generations failed_generations",
        [("image_gen", 5, 2), ("style", 1, 0), ("video_gen", 1, 1)],
    ),
    "daily_trend": (
        "usage_date generations failed_generations vendor_cost_usd refunds_issued",
        [
            ("2024-11-10", 1, 0, USD["0.038"], 0),
            ("2024-12-02", 2, 1, USD["0.027"], 1),
            ("2024-12-03", 3, 2, USD["0.038"], 1),
            ("2024-12-04", 1, 0, 0, 0),
        ],
    ),
    "credits_by_tier": (
        "subscription_tier monthly_credits users users_with_credits credits",
        [("free", 15, 1, 0, 0), ("plus", 150, 1, 1, 100)],
    ),
    "top_users_this_month": (
        "user_id subscription_tier generations failed_generations credits_used",
        [(BEN, "free", 3, 2, 16), (ANN, "plus", 3, 1, 6)],
    ),
    "recent_failures": (
        "generation_id error_message credits_used credits_refunded is_refunded",
        [
            (f"{TASK}4", "vendor timeout", 12, 0, False),
            (f"{TASK}3", "vendor timeout", 2, 2, True),
            (f"{TASK}7", "vendor timeout", 2, 1, True),
        ],
    ),
    "vendor_cost_by_day_and_provider": (
        "usage_date provider vendor_cost_usd cost_variance_usd",
        [
            ("2024-11-10", "nanobanana", USD["0.038"], 0),
            ("2024-12-02", "nanobanana", 0, 0),
            ("2024-12-02", "seedream", USD["0.027"], 0),
            ("2024-12-03", "nanobanana", USD["0.038"], 0),
            ("2024-12-03", "seedance", 0, 0),
            ("2024-12-04", "nanobanana", 0, 0),
        ],
    ),
    "refunds_by_month": (
        "month_start refunds_issued credits_refunded failed_generations "
        "refunded_failure_rate unrefunded_failures",
        [
            ("2024-12-01", 2, 3, 3, Decimal("0.666667"), 1),
            ("2024-11-01", 0, 0, 0, None, 0),
        ],
    ),
    "health_check": (
        "failure_rate_7d failure_rate_30_days_before failures_have_spiked "
        "in_flight_generations stuck_generations generations_are_stuck",
        [(Decimal("0.6"), 0, True, 1, 1, True)],
    ),
    "owed_refunds": (
        "user_id generation_id finding_type credits_owed",
        [(BEN, f"{TASK}7", "under_refund", 1), (BEN, f"{TASK}4", "failed_not_refunded", 12)],
    ),
}


def fill(database: AppDatabase) -> None:
    """Write the scenario as the app would: task and full charge, then the refunds."""
    for number, user, provider, kind, status, created_at, credits, cost in TASKS:
        shared = {"user_id": user, "provider": provider, "enhancement_type": kind}
        database.insert(
            "enhancement_tasks",
            {
                **shared,
                "id": f"{TASK}{number}",
                "status": status,
                "error_message": "vendor timeout" if status == "failed" else None,
                "created_at": created_at,
            },
        )
        database.insert(
            "credit_transactions",
            {
                **shared,
                "transaction_type": "deduction",
                "api_request_id": f"{TASK}{number}",
                "credits_used": credits,
                "cost_usd": cost,
                "created_at": created_at,
            },
        )
    for number, credits, created_at in REFUNDS:
        database.insert(
            "credit_transactions",
            {
                "transaction_type": "refund",
                "api_request_id": f"{TASK}{number}",
                "credits_used": -credits,
                "created_at": created_at,
            },
        )
    for user, tier, balance in [(ANN, "plus", 100), (BEN, "free", 0)]:
        database.insert(
            "user_credits",
            {"user_id": user, "subscription_tier": tier, "current_balance": balance},
        )


@pytest.fixture(scope="module")
def compiled(server: Server) -> tuple[AppDatabase, dict[str, str]]:
    """A built database, and each analysis as SQL by its name."""
    database = make_database(server)
    fill(database)
    database.dbt("build", "--resource-type", "model", "seed", variables=AS_OF)
    result = database.dbt("compile", "--select", "resource_type:analysis", variables=AS_OF).result
    return database, {run.node.name: run.node.compiled_code for run in result.results}


def test_every_analysis_is_asked(compiled: tuple[AppDatabase, dict[str, str]]) -> None:
    """A new file in `analyses/` needs its answer here."""
    files = {path.stem for path in (PROJECT / "analyses").glob("*.sql")}
    assert files == ANSWERS.keys() == compiled[1].keys()


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_is_right(compiled: tuple[AppDatabase, dict[str, str]], name: str) -> None:
    """Worked out by hand from the scenario above."""
    database, queries = compiled
    columns, rows = ANSWERS[name]
    found = [
        tuple(
            str(row[column]) if column in ("usage_date", "month_start") else row[column]
            for column in columns.split()
        )
        for row in database.query(queries[name])
    ]
    assert found == rows


def test_a_pasted_answer_moves_with_the_marts(
    compiled: tuple[AppDatabase, dict[str, str]],
) -> None:
    """A reader, in any session, sees the days before the last build, not before compilation."""
    database, queries = compiled
    database.execute(
        """do $$ begin create role pasting_reader login; exception when duplicate_object then null;
        end $$"""
    )
    later = {"as_of": "2025-02-01T00:00:00Z", "reader_roles": ["pasting_reader"]}
    database.dbt("build", "--resource-type", "model", "seed", settings=later)
    try:
        with database.connect("pasting_reader") as connection, connection.cursor() as cursor:
            cursor.execute("set search_path = ''; set timezone = 'Pacific/Apia'")
            for name, query in queries.items():
                cursor.execute(query)
                rows = cursor.fetchall()
                if name == "daily_trend":
                    assert rows == []
                if name == "recent_failures":
                    assert len(rows) == 3
    finally:
        database.dbt("build", "--resource-type", "model", "seed", variables=AS_OF)


def test_an_empty_database_has_answers(database: AppDatabase) -> None:
    """No analysis fails where there are no rows."""
    database.dbt("build", "--resource-type", "model", "seed", variables=AS_OF)
    result = database.dbt("compile", "--select", "resource_type:analysis", variables=AS_OF).result
    answers = {run.node.name: database.query(run.node.compiled_code) for run in result.results}
    (overview,) = answers["overview_30_days"]
    assert (overview["generations"], overview["success_rate"]) == (0, None)
    assert answers["owed_refunds"] == []
