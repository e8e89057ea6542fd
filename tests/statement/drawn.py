"""An app's calls and a vendor's statement of them, drawn with all that can come between the two."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from tests.app_database import BUILD_ROLE, AppDatabase
from tests.oracle.statement import Generation, Line

PRICES = {
    "nanobanana": Decimal("0.038"),
    "seedream": Decimal("0.027"),
    "seedance": Decimal("0.15"),
    "wan": Decimal("0.25"),
    "odd": None,
}
MODELS = {
    "nanobanana": "google/nano-banana/text-to-image",
    "seedream": "bytedance/seedream-v4.5",
    "seedance": "bytedance/seedance-v1-pro-i2v-480p",
    "wan": "wavespeed-ai/wan-2.2/i2v-480p-lora-ultra-fast",
    "odd": "acme/model-x",
}
START = datetime(2024, 2, 27, tzinfo=UTC)
DAYS = 70


@dataclass
class History:
    """Tasks and charges of the app, lines of the statement, and what the oracle is told of both."""

    tasks: list[dict[str, Any]] = field(default_factory=list)
    charges: list[dict[str, Any]] = field(default_factory=list)
    generations: list[Generation] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    written: list[dict[str, Any]] = field(default_factory=list)

    def part(self, lines: set[str]) -> "History":
        """The same with some lines only."""
        return replace(
            self,
            lines=[line for line in self.lines if line.key in lines],
            written=[row for row in self.written if row["key"] in lines],
        )


def draw(seed: int, calls: int) -> History:
    """Calls of ten weeks around three ends of months, and how each was billed."""
    random = Random(seed)
    history = History()

    def identity() -> str:
        return str(UUID(int=random.getrandbits(128), version=4))

    def bill(
        prediction: str, kind: str, amount: Decimal, at: datetime, provider: str,
        list_price: Decimal | None = None,
    ) -> None:  # fmt: skip
        state = {
            "charge": random.choice(["deduct", "Done"]), "refund": "refund", "pending": "pre"
        }[kind]  # fmt: skip
        line_id = identity()
        key = f"{line_id} {state.lower()}"
        history.lines.append(
            Line(key, prediction, kind, amount, at, provider in PRICES and provider != "odd",
                 list_price)
        )  # fmt: skip
        history.written.append(
            {
                "key": key, "uuid": line_id.replace("-", ""),
                "prediction_uuid": random.choice([prediction, prediction.replace("-", "").upper()]),
                "model_uuid": MODELS.get(provider, ""), "billing_type": state,
                "price": -amount if kind == "charge" and random.random() < 0.5 else amount,
                "origin_price": list_price, "created_at": at.isoformat(), "currency": "USD",
            }
        )  # fmt: skip

    for _ in range(calls):
        provider = random.choice(list(PRICES))
        price = PRICES[provider] or Decimal("0.0625")
        at = START + timedelta(seconds=random.randrange(DAYS * 86400))
        status = random.choices(
            ["completed", "failed", "cancelled", "processing"], [70, 15, 5, 10]
        )[0]
        task, own = identity(), random.random() < 0.4
        prediction = task if own else identity()
        if random.random() < 0.03 and history.generations:
            prediction = random.choice(history.generations).prediction
        cost = random.choices(
            [price, Decimal("0.10"), None, price + Decimal("0.00004")], [75, 10, 8, 7]
        )[0]
        is_in_app = random.random() < 0.95
        if is_in_app:
            row = {
                "id": task, "user_id": identity(), "provider": provider, "status": status,
                "cost_usd": None, "enhancement_type": "image_gen", "created_at": at,
                "api_task_id": None if prediction == task else prediction.replace("-", ""),
            }  # fmt: skip
            history.tasks.append(row)
            history.charges.append(
                {
                    "id": identity(), "user_id": row["user_id"], "transaction_type": "deduction",
                    "credits_used": 2, "cost_usd": cost, "provider": provider,
                    "enhancement_type": "image_gen", "api_request_id": task,
                    "status": "processing", "created_at": at,
                }
            )  # fmt: skip
            history.generations.append(
                Generation(task, prediction, status, at, cost, PRICES[provider])
            )
        if random.random() < 0.1:
            continue  # The vendor forgot it.
        billed = at + timedelta(seconds=random.choice([1, 40, 3600, 90000, 400000]))
        list_price = random.choice([None, price, price * 2])
        charged = random.choices(
            [price, price * 2, price + Decimal("0.001"), Decimal(0)], [80, 6, 10, 4]
        )[0]
        if random.random() < 0.1:
            bill(prediction, "pending", charged, at, provider, list_price)
            if random.random() < 0.4:
                continue
        if random.random() < 0.96:
            bill(prediction, "charge", charged, billed, provider, list_price)
        if random.random() < 0.06:
            bill(prediction, "charge", charged, billed + timedelta(days=9), provider, list_price)
        chance = 0.7 if status == "failed" else 0.05
        if random.random() < chance:
            part = random.choice([charged, charged, charged / 2, charged * 2])
            back = billed + timedelta(seconds=random.choice([60, 9000, 20 * 86400]))
            bill(prediction, "refund", part, back, provider)
    return history


def load_app(database: AppDatabase, history: History) -> None:
    """The app's rows, with the vendor's id beside the task's own."""
    database.execute(
        "alter table enhancement_tasks add column if not exists api_task_id text;"
        " alter table credit_transactions alter column cost_usd type numeric"
    )
    database.insert("enhancement_tasks", *history.tasks)
    database.insert("credit_transactions", *history.charges)


COLUMNS = (
    "uuid", "prediction_uuid", "model_uuid", "billing_type", "price", "origin_price", "created_at",
    "currency",
)  # fmt: skip


def write_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A file as the vendor's API names its fields."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def make_table(database: AppDatabase, history: History) -> None:
    """The statement as a table of the app's database, in the place of the one before."""
    columns = ", ".join(
        f"{name} {'numeric' if 'price' in name else 'text'}" for name in COLUMNS
    ).replace("created_at text", "created_at timestamptz")
    database.execute(
        f"drop table if exists vendor_billing; create table vendor_billing ({columns});"
        f" grant select on vendor_billing to {BUILD_ROLE}"
    )
    database.insert(
        "vendor_billing", *({name: row[name] for name in COLUMNS} for row in history.written)
    )


def batches(history: History, random: Random, count: int) -> Iterator[set[str]]:
    """Keys of the lines that have arrived, each time more."""
    keys = [line.key for line in history.lines]
    random.shuffle(keys)
    for at in range(1, count + 1):
        yield set(keys[: len(keys) * at // count])
