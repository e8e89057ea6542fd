"""Small nasty histories of the app, seeded: every defect its tables are known for, on purpose.

Times, users, credits and types come from small pools, so that ties, windows met to the second and
several possible partners for a shadow or a refund are the rule rather than the exception.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import psycopg2.extras

from tests.app_database import AppDatabase
from tests.oracle import AppTables
from tests.oracle.cleaning import clean_id

PROVIDERS = [
    *("nanobanana", "nanobanan", "wavespeed-nanobanan", " NanoBanana ", "seedream", "SEEDANCE"),
    *("wan", "fal_ai", "mock", "brand-new", "", None),
]
STATUSES = [
    *("pending", "processing", "completed", "Completed ", "cancelled", "canceled", "refunded"),
    *("failed", "failed", "failed", "exploded", None),
]
LEDGER_STATUSES = [*STATUSES, "reversed", " Voided", "expired", "released", "reserved", "held"]
TYPES = ["image_gen", "image_gen", " Image_Gen", "style", "holograms", None]
COSTS = [
    *(None, None, Decimal("0.038"), Decimal("0.0381"), Decimal("0.0382"), Decimal("0.1")),
    *(Decimal("0"), Decimal("-1"), Decimal("NaN"), Decimal("9999"), Decimal("0.0000004")),
]
CREDITS = [2, 2, 2, -2, 1, 12, 0, Decimal("0.1"), Decimal("1.50")]
BALANCES = [None, -3, 0, 5, 40, Decimal("7.25")]
CHARGE_TYPES = ["deduction", "deduction", "style_application", "video_generation"]
GRANT_TYPES = [
    *("allocation", "purchase", "referral_bonus", "subscription_renewal", "manual_adjustment"),
]
# What shadow and refund windows are measured in, so that pairs fall on their edges.
STEPS = [timedelta(seconds=each) for each in (0, 0, 60, 299, 300, 301, 1800, 86399, 86400, 86401)]

Row = dict[str, Any]


class HistoryGenerator:
    """Writes the app's rows around one moment; the same seed writes the same rows."""

    def __init__(self, seed: int, around: datetime):
        self.random = Random(seed)
        self.around = around
        self.users = [self._uuid() for _ in range(3)] + [None]
        self.requests: list[str] = []
        self.tables = AppTables()

    def write(self, events: int = 40) -> AppTables:
        """Write rows of every kind, in no order."""
        kinds = [self._task, self._burst, self._charge, self._refund, self._refund, self._other]
        for _ in range(events):
            self.random.choice(kinds)()
        self._balances()
        self._spoil()
        for rows in vars(self.tables).values():
            self.random.shuffle(rows)
        return self.tables

    def _uuid(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _time(self) -> datetime:
        days = timedelta(hours=self.random.randint(-48, 48))
        return self.around + days + self.random.choice(STEPS)

    def _task(self) -> None:
        pick = self.random.choice
        created_at = self._time()
        task_id = self._uuid()
        self.requests.append(task_id)
        self.tables.enhancement_tasks.append(
            {
                "id": self._spelled(task_id),
                "user_id": self._spelled(pick(self.users)),
                "provider": pick(PROVIDERS),
                "status": pick(STATUSES),
                "error_message": pick([None, "vendor timeout", "quote \" ' and ünïcode 🍌"]),
                "result_url": None,
                "cost_usd": pick(COSTS),
                "enhancement_type": pick(TYPES),
                "created_at": pick([created_at] * 15 + [None]),
                "updated_at": pick([created_at + pick(STEPS), created_at, None]),
                "completed_at": pick([None, None, created_at + timedelta(seconds=7)]),
                "failed_at": pick([None, created_at + pick(STEPS)]),
            }
        )
        for _ in range(pick([0, 1, 1, 1, 2])):
            self._charge(task_id, created_at + pick(STEPS))

    def _spelled(self, value: str | None) -> str | None:
        """An id as some client spells it."""
        if value is None:
            return None
        spellings = [value.upper(), f" {value} ", value.replace("-", ""), f"{{{value}}}"]
        return self.random.choice([value] * 6 + spellings)

    def _ledger(self, **values: Any) -> Row:
        pick = self.random.choice
        row = {
            "id": self._spelled(self._uuid()),
            "user_id": self._spelled(pick(self.users)),
            "transaction_type": "deduction",
            "credits_used": pick(CREDITS),
            "cost_usd": None,
            "provider": None,
            "enhancement_type": pick(TYPES),
            "api_request_id": None,
            "status": pick(LEDGER_STATUSES),
            "error_message": None,
            "created_at": self._time(),
            **values,
        }
        self.tables.credit_transactions.append(row)
        return row

    def _charge(self, request: str | None = None, created_at: datetime | None = None) -> None:
        pick = self.random.choice
        if request is None:
            request = pick([None, "", self._request()])
        self._ledger(
            transaction_type=pick(CHARGE_TYPES),
            cost_usd=pick(COSTS),
            provider=pick(PROVIDERS),
            api_request_id=self._spelled(request),
            created_at=created_at or self._time(),
        )

    def _request(self) -> str:
        """A request id of before, or one that no task has."""
        if not self.requests or self.random.random() < 0.3:
            self.requests.append(self._uuid())
        return self.random.choice(self.requests)

    def _burst(self) -> None:
        """Bare and full charges of one user within minutes, any of which may pair."""
        pick = self.random.choice
        user, start = pick(self.users), self._time()
        for _ in range(self.random.randint(2, 6)):
            bare = {
                "user_id": user,
                "credits_used": pick([2, 2, -2, 1, Decimal("2.00")]),
                "enhancement_type": pick(["image_gen", "image_gen", None]),
                "created_at": start + pick([timedelta(0), timedelta(minutes=3), *STEPS[:6]]),
            }
            full = {"provider": "seedream", "api_request_id": pick([None, self._request()])}
            self._ledger(**bare, **pick([{}, full]))

    def _refund(self) -> None:
        pick = self.random.choice
        failed = [row for row in self.tables.enhancement_tasks if row["failed_at"]]
        near = pick(failed)["failed_at"] if failed else self._time()
        self._ledger(
            transaction_type="refund",
            api_request_id=self._spelled(pick([None, None, None, self._request()])),
            created_at=near + pick(STEPS) * pick([1, 1, 1, -1]),
            provider=pick([None, "nanobanana"]),
        )

    def _other(self) -> None:
        pick = self.random.choice
        self._ledger(
            **pick(
                [
                    {"transaction_type": pick(GRANT_TYPES)},
                    {"transaction_type": pick(["reserve", "release", "manual_adjustment"])},
                    {"transaction_type": " Deduction", "enhancement_type": "marketplace_payment"},
                    {"transaction_type": "tip_jar"},
                    {"credits_used": pick([None, Decimal("NaN"), Decimal("-Infinity")])},
                    {"created_at": None},
                    {"id": pick([None, " "])},
                ]
            )
        )

    def _balances(self) -> None:
        for user in self.users:
            for _ in range(self.random.choice([0, 1, 1, 2])):
                self.tables.user_credits.append(
                    {
                        "user_id": self._spelled(user),
                        "current_balance": self.random.choice(
                            [None, -3, 0, 5, 40, Decimal("7.25")]
                        ),
                        "consumed_this_month": 0,
                        "monthly_allowance": 15,
                        "subscription_tier": self.random.choice(["free", " Plus", "gold", None]),
                        "updated_at": self.around + self._moment(),
                    }
                )

    def _moment(self) -> timedelta:
        """A time that nothing else has, so that no most recent row is in doubt."""
        return timedelta(seconds=self.random.randrange(10**5))

    def _spoil(self) -> None:
        """Repeat ids, and lose some."""
        for rows in (self.tables.enhancement_tasks, self.tables.credit_transactions):
            for row in self.random.sample(rows, min(2, len(rows))):
                again = {**row, "created_at": self.around + self._moment()}
                if "updated_at" in row:
                    again["updated_at"] = self.around + self._moment()
                rows.append(again)
        tasks = self.tables.enhancement_tasks
        for row in self.random.sample(tasks, min(1, len(tasks))):
            row["id"] = None


def write_histories(seed: int, moments: list[datetime]) -> AppTables:
    """One nasty history around each moment, all in the same tables."""
    tables = AppTables()
    for number, around in enumerate(moments):
        history = HistoryGenerator(seed * 1000 + number, around).write()
        tables.enhancement_tasks.extend(history.enhancement_tasks)
        tables.credit_transactions.extend(history.credit_transactions)
        tables.user_credits.extend(history.user_credits)
    return tables


def with_keys(tables: AppTables) -> AppTables:
    """Of what was written, the rows that tables with keys take: the first of each id."""
    kept = {}
    for table, rows in vars(tables).items():
        by_key: dict[str, Row] = {}
        for row in rows:
            column = next(iter(row))
            key = clean_id(row[column]) or ""
            by_key.setdefault(key, {**row, column: key})
        by_key.pop("", None)
        kept[table] = list(by_key.values())
    return AppTables(**kept)


def load(database: AppDatabase, tables: AppTables) -> None:
    """Replace what the app's tables hold."""
    for name, rows in vars(tables).items():
        database.execute(f"truncate {name}")
        load_rows(database, name, rows)


def load_rows(database: AppDatabase, table: str, rows: list[Row]) -> None:
    """Append rows that all have the same columns."""
    if not rows:
        return
    names = ", ".join(rows[0])
    with database.connect() as connection, connection.cursor() as cursor:
        psycopg2.extras.execute_values(
            cursor,
            f"insert into {table} ({names}) values %s",
            [list(row.values()) for row in rows],
            page_size=1000,
        )
