"""The contract's sample: its rows and its answers."""

import csv
import gzip
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.app_database import PROJECT
from tests.oracle import AppTables

# The sample is not part of the project; it lies beside it, see docs.
FOLDER = Path(os.environ.get("PAYGEN_SAMPLE", PROJECT.parent / "shared" / "data" / "sample"))
AS_OF = datetime(2024, 12, 4, tzinfo=UTC)
TABLES = ("enhancement_tasks", "credit_transactions", "user_credits")

_CASTS = {
    "cost_usd": Decimal,
    "credits_used": int,
    "current_balance": int,
    "created_at": datetime.fromisoformat,
    "updated_at": datetime.fromisoformat,
}


def expected() -> dict[str, Any]:
    """The sample's answers as the contract states them."""
    return json.loads((FOLDER / "expected.json").read_text())


def rows(table: str) -> list[dict[str, Any]]:
    """Rows of one table, typed as the database types them."""
    with gzip.open(FOLDER / f"{table}.csv.gz", "rt", newline="") as file:
        return [
            {name: _CASTS.get(name, str)(text) if text else None for name, text in row.items()}
            for row in csv.DictReader(file)
        ]


def app_tables() -> AppTables:
    """The sample as the oracle reads it."""
    return AppTables(
        **{
            name: rows(name)
            for name in ("enhancement_tasks", "credit_transactions", "user_credits")
        }
    )
