"""Rows of the app as it writes them when nothing goes wrong, to be spoilt one at a time."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from tests.app_database import AppDatabase
from tests.oracle.cleaning import clean_id
from tests.oracle.texts import UUID

NOON = datetime(2024, 5, 15, 12, tzinfo=UTC)
AS_OF = datetime(2024, 5, 20, tzinfo=UTC)

Row = dict[str, Any]


def uuid_of(name: str) -> str:
    """A UUID that stands for a name."""
    return str(uuid5(NAMESPACE_OID, name))


def after(**duration: float) -> datetime:
    """A moment after noon of the day that everything happens on."""
    return NOON + timedelta(**duration)


def task(name: str = "task", **changes: Any) -> Row:
    """A completed nanobanana task of Ann, ended 15 seconds after noon."""
    return {
        "id": uuid_of(name),
        "user_id": uuid_of("ann"),
        "provider": "nanobanana",
        "status": "completed",
        "cost_usd": Decimal("0.025"),
        "enhancement_type": "image_gen",
        "created_at": NOON,
        "updated_at": after(seconds=15),
        **changes,
    }


def charge(name: str = "charge", **changes: Any) -> Row:
    """The full charge of that task, a second later."""
    return {
        "id": uuid_of(name),
        "user_id": uuid_of("ann"),
        "transaction_type": "deduction",
        "credits_used": 2,
        "cost_usd": Decimal("0.038"),
        "provider": "nanobanana",
        "enhancement_type": "image_gen",
        "api_request_id": uuid_of("task"),
        "status": "completed",
        "created_at": after(seconds=1),
        **changes,
    }


def bare_charge(name: str = "bare", **changes: Any) -> Row:
    """What the database function logs beside the full charge."""
    nothing = {"api_request_id": None, "provider": None, "cost_usd": None}
    return charge(name, **nothing | changes)


def refund(name: str = "refund", **changes: Any) -> Row:
    """A refund of Ann's two credits an hour after noon that names no task."""
    row = charge(name, transaction_type="refund", provider=None, cost_usd=None)
    return row | {"api_request_id": None, "created_at": after(hours=1)} | changes


def build(
    database: AppDatabase,
    tasks: list[Row] | None = None,
    ledger: list[Row] | None = None,
    reports: bool = False,
    **variables: Any,
) -> None:
    """Put the rows into the database and build the marts as of 20 May 2024."""
    database.insert("enhancement_tasks", *(tasks or []))
    database.insert("credit_transactions", *(ledger or []))
    seeded = database.query("select to_regclass('analytics_seeds.statuses') as seed")[0]["seed"]
    database.dbt(
        *(["run"] if seeded else ["build", "--resource-type", "model", "seed"]),
        "--full-refresh",
        variables={"as_of": AS_OF.isoformat()} | variables,
        reports=reports,
    )


def generations(database: AppDatabase) -> list[Row]:
    """All rows of `fct_generations` in time order."""
    return database.query("select * from analytics.fct_generations order by created_at")


def relocated(row: Row, scene: str) -> Row:
    """The row under ids of its own, so that many scenes can share one database."""
    return {key: _relocated(value, scene) for key, value in row.items()}


def _relocated(value: Any, scene: str) -> Any:
    spelled = re.search(r"[0-9a-fA-F-]{32,36}", value) if isinstance(value, str) else None
    if not spelled or not UUID.fullmatch(clean_id(value)):
        return value
    moved = uuid_of(scene + clean_id(value))
    if "-" not in value:
        moved = moved.replace("-", "")
    if value.isupper():
        moved = moved.upper()
    return value.replace(spelled[0], moved)
