"""The knowledge that is data, read from the project's seeds."""

import csv
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

SEEDS = Path(__file__).resolve().parents[2] / "seeds"


@cache
def _rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@cache
def provider_aliases() -> dict[str, str]:
    """Provider by alias."""
    return {row["alias"]: row["provider"] for row in _rows("provider_aliases")}


@cache
def provider_names() -> dict[str, str]:
    """Name as people write it, by provider."""
    return {row["provider"]: row["provider_name"] for row in _rows("providers")}


@cache
def current_providers() -> list[str]:
    """Providers that every month lists, used or not."""
    return [row["provider"] for row in _rows("providers") if row["is_current"] == "true"]


@cache
def type_names() -> dict[str, str]:
    """Name as people write it, by enhancement type."""
    return {
        row["enhancement_type"]: row["enhancement_type_name"] for row in _rows("enhancement_types")
    }


@cache
def known_types() -> list[str]:
    """Enhancement types that every month lists, used or not."""
    return [
        row["enhancement_type"] for row in _rows("enhancement_types") if row["medium"] != "unknown"
    ]


@cache
def statuses() -> dict[str, str]:
    """Status of a generation by the app's spelling of it, where it stands for one."""
    return {row["app_status"]: row["status"] for row in _rows("statuses") if row["status"]}


@cache
def ledger_effects() -> dict[str, str]:
    """What a status makes of a ledger row, where that is not what its kind says."""
    return {
        row["app_status"]: row["ledger_effect"] for row in _rows("statuses") if row["ledger_effect"]
    }


@cache
def transaction_kinds() -> dict[tuple[str, str | None], tuple[str, int | None]]:
    """Kind and direction by transaction type and enhancement type, None for any other.

    Without a direction the amount's sign has it.
    """
    return {
        (row["transaction_type"], row["enhancement_type"] or None): (
            row["transaction_kind"],
            int(row["direction"]) if row["direction"] else None,
        )
        for row in _rows("transaction_kinds")
    }


@cache
def bought_types() -> set[str]:
    """Types of ledger rows that give credits which the user pays for."""
    return {
        row["transaction_type"] for row in _rows("transaction_kinds") if row["is_bought"] == "true"
    }


@cache
def message_words() -> dict[str, str]:
    """Kind of each word that a message may show, by the word."""
    return {word: row["kind"] for row in _rows("message_words") for word in row["word"].split()}


def list_price(provider: str, day: date) -> Decimal | None:
    """US dollars per generation by the price list in force on a day; None where it has none."""
    in_force = [
        (row["valid_from"], row["price_usd"])
        for row in _rows("provider_prices")
        if row["provider"] == provider and date.fromisoformat(row["valid_from"]) <= day
    ]
    return Decimal(max(in_force)[1]) if in_force else None
