"""The app's tables as its databases in the wild have them: the same rows, the same numbers."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from local_postgres.server import Server
from tests.app_database import AppDatabase
from tests.app_rows import Row, after, build, charge, generations, task, uuid_of
from tests.conftest import make_database
from tests.table_shapes import replace_table

TABLES = ("enhancement_tasks", "credit_transactions", "user_credits")
DEMO_SHAPE = {
    "enhancement_tasks": """
        id uuid, user_id uuid, provider varchar(50), status varchar(20), error_message text,
        result_url text, cost_usd numeric(8, 4), enhancement_type varchar(50),
        created_at timestamptz, updated_at timestamptz
    """,
    "credit_transactions": """
        id uuid, user_id uuid, transaction_type varchar(20), credits_used int,
        cost_usd numeric(8, 4), provider varchar(50), enhancement_type varchar(50),
        api_request_id varchar(100), status varchar(20), created_at timestamptz
    """,
    "user_credits": """
        user_id uuid, current_balance int, consumed_this_month int, monthly_allowance int,
        subscription_tier varchar(20)
    """,
}
FAILED_TASK = task(status="failed", error_message="vendor timeout")
BALANCE = {"user_id": uuid_of("ann"), "current_balance": 7, "subscription_tier": "plus"}


@dataclass(frozen=True)
class Shape:
    """Columns and rows of tables that differ from the demo's, and what is then different."""

    columns: dict[str, str]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    generation: dict[str, Any] = field(default_factory=dict)
    balances: list[int] = field(default_factory=lambda: [7])


def renamed(table: str, **names: str) -> str:
    """Columns of the demo's shape with some renamed, or dropped where the new name is empty."""
    columns = []
    for column in DEMO_SHAPE[table].replace("(8, 4)", "(8;4)").split(","):
        name, kind = column.split(maxsplit=1)
        if new := names.get(name, name):
            columns.append(f"{new} {kind.replace(';', ',')}")
    return ", ".join(columns)


def without(row: Row, *names: str, **more: Any) -> Row:
    """The row without some columns and with others."""
    return {key: value for key, value in row.items() if key not in names} | more


SHAPES = {
    "as_in_the_demo": Shape({}),
    "provider_cost_and_error_type": Shape(
        {
            "enhancement_tasks": renamed(
                "enhancement_tasks",
                cost_usd="provider_cost",
                error_message="error_type",
                result_url="output_image_url",
            )
        },
        {
            "enhancement_tasks": [
                without(
                    FAILED_TASK,
                    *("cost_usd", "error_message"),
                    provider_cost=Decimal("0.025"),
                    error_type="timeout",
                )
            ]
        },
        {"error_message": "timeout"},
    ),
    "error_type_beside_error_message": Shape(
        {"enhancement_tasks": DEMO_SHAPE["enhancement_tasks"] + ", error_type text"},
        {"enhancement_tasks": [FAILED_TASK | {"error_type": "timeout"}]},
    ),
    "times_of_completion_and_failure": Shape(
        {
            "enhancement_tasks": DEMO_SHAPE["enhancement_tasks"]
            + ", started_at timestamptz, completed_at timestamptz, failed_at timestamptz"
            + ", processing_time_ms int, quality_score numeric, prompt text, refunded bool"
        },
        {
            "enhancement_tasks": [
                FAILED_TASK | {"failed_at": after(seconds=9), "prompt": "a secret"}
            ]
        },
        {"ended_at": after(seconds=9), "duration_seconds": 9},
    ),
    "no_updated_at": Shape(
        {"enhancement_tasks": renamed("enhancement_tasks", updated_at="")},
        {"enhancement_tasks": [without(FAILED_TASK, "updated_at")]},
        {"ended_at": None, "duration_seconds": None},
    ),
    "processing_time_alone": Shape(
        {
            "enhancement_tasks": renamed("enhancement_tasks", updated_at="", result_url="")
            + ", processing_time_ms int, started_at timestamptz"
        },
        {
            "enhancement_tasks": [
                without(
                    FAILED_TASK, "updated_at", processing_time_ms=9500, started_at=after(days=1)
                )
            ]
        },
        {"ended_at": None, "duration_seconds": Decimal("9.5")},
    ),
    "processing_time_that_contradicts": Shape(
        {
            "enhancement_tasks": renamed("enhancement_tasks", updated_at="")
            + ", processing_time_ms numeric"
        },
        {"enhancement_tasks": [without(FAILED_TASK, "updated_at", processing_time_ms=-1)]},
        {"ended_at": None, "duration_seconds": None},
    ),
    "processing_time_beside_an_end": Shape(
        {"enhancement_tasks": DEMO_SHAPE["enhancement_tasks"] + ", processing_time_ms bigint"},
        {"enhancement_tasks": [FAILED_TASK | {"processing_time_ms": 1}]},
    ),
    "balances_without_what_nobody_reads": Shape(
        {"user_credits": renamed("user_credits", consumed_this_month="", monthly_allowance="")}
    ),
    "no_created_at": Shape(
        {"enhancement_tasks": renamed("enhancement_tasks", created_at="")},
        {"enhancement_tasks": [without(FAILED_TASK, "created_at")]},
        {"created_at": after(seconds=1), "duration_seconds": 14},
    ),
    "ids_as_text": Shape(
        {table: DEMO_SHAPE[table].replace("uuid", "text") for table in TABLES},
        {"enhancement_tasks": [FAILED_TASK | {"id": uuid_of("task").upper()}]},
    ),
    "numbers_as_floats_and_texts_as_json": Shape(
        {
            "credit_transactions": DEMO_SHAPE["credit_transactions"]
            .replace("credits_used int", "credits_used real")
            .replace("numeric(8, 4)", "double precision"),
            "enhancement_tasks": DEMO_SHAPE["enhancement_tasks"].replace(
                "error_message text", "error_message json"
            ),
            "user_credits": DEMO_SHAPE["user_credits"].replace(
                "current_balance int", "current_balance money"
            ),
        },
        {
            "credit_transactions": [charge(credits_used=1234567)],
            "enhancement_tasks": [FAILED_TASK | {"error_message": '"vendor timeout"'}],
        },
        {"credits_used": 1234567},
    ),
    "times_without_zone": Shape(
        {table: DEMO_SHAPE[table].replace("timestamptz", "timestamp") for table in TABLES},
        {
            "enhancement_tasks": [
                FAILED_TASK
                | {
                    "created_at": datetime(2024, 5, 15, 12),
                    "updated_at": datetime(2024, 5, 15, 12, 0, 15),
                }
            ]
        },
    ),
    "balances_with_id": Shape(
        {
            "user_credits": "id uuid, purchased_credits_balance int, updated_at timestamptz,"
            + DEMO_SHAPE["user_credits"]
        },
        {
            "user_credits": [
                BALANCE | {"updated_at": after(hours=1)},
                BALANCE | {"updated_at": after(hours=2), "current_balance": 9},
                BALANCE | {"user_id": None},
            ]
        },
        balances=[9],
    ),
    "ledger_without_id": Shape(
        {"credit_transactions": renamed("credit_transactions", id="")},
        {
            "credit_transactions": [
                without(charge(), "id"),
                without(charge(api_request_id=None), "id"),
                without(charge(api_request_id=None), "id"),
            ]
        },
        {"charges": 3},
    ),
}
SOUND = {
    "user_id": uuid_of("ann"),
    "status": "failed",
    "created_at": after(),
    "ended_at": after(seconds=15),
    "duration_seconds": 15,
    "credits_used": 2,
    "recorded_cost_usd": Decimal("0.038"),
    "error_message": "vendor timeout",
}


@pytest.fixture(scope="module")
def seeded(server: Server) -> AppDatabase:
    """A database with the seeds loaded, whose tables each test replaces."""
    database = make_database(server)
    database.execute(f"alter role paygen in database {database.name} set timezone = 'Asia/Tokyo'")
    database.dbt("seed")
    return database


@pytest.mark.parametrize("name", SHAPES)
def test_shape(seeded: AppDatabase, name: str) -> None:
    """The failed task, its charge and the balance are read the same, whatever the columns."""
    shape = SHAPES[name]
    rows = {
        "enhancement_tasks": [FAILED_TASK],
        "credit_transactions": [charge()],
        "user_credits": [BALANCE],
    } | shape.rows
    for table in TABLES:
        replace_table(seeded, table, (DEMO_SHAPE | shape.columns)[table])
        seeded.insert(table, *rows[table])
    build(seeded)
    found = generations(seeded)
    expected = SOUND | shape.generation
    count = expected.pop("charges", 1)
    [from_task] = [row for row in found if row["record_source"] == "task"]
    assert {key: from_task[key] for key in expected} == expected
    assert len({row["generation_id"] for row in found}) == len(found) == count
    balances = seeded.query("select current_balance from analytics_staging.stg_app__user_credits")
    overview = seeded.query("select total_credits_in_circulation from analytics.dashboard_overview")
    assert len(balances) == len(rows["user_credits"])
    assert overview == [{"total_credits_in_circulation": sum(shape.balances)}]
