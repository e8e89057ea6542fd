"""The app's rows as they are read: cleaned, cut at `as_of`, kept or rejected with a reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle import seeds
from tests.oracle.texts import shown_id, shown_message, shown_name

LARGEST_AMOUNT = Decimal(10) ** 12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=UTC)

Row = dict[str, Any]


@dataclass(frozen=True)
class AppTables:
    """Raw rows of the app's tables, each a dict by column name."""

    enhancement_tasks: list[Row] = field(default_factory=list)
    credit_transactions: list[Row] = field(default_factory=list)
    user_credits: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Options:
    """The contract's variables; times are aware, money is in US dollars."""

    as_of: datetime
    reporting_timezone: str = "UTC"
    vendor_cost_basis: str = "ledger"
    failed_generations_are_billed: bool = False
    credit_price_usd: Decimal = Decimal("0.02")
    cost_tolerance_usd: Decimal = Decimal("0.0001")
    shadow_charge_window_seconds: int = 300
    refund_window_hours: int = 24
    stuck_after_minutes: int = 30
    credit_breakage_months: int | None = None

    def day(self, moment: datetime) -> date:
        """Day of a moment in the reporting timezone."""
        return moment.astimezone(ZoneInfo(self.reporting_timezone)).date()

    def month(self, moment: datetime) -> date:
        """First day of a moment's month in the reporting timezone."""
        return self.day(moment).replace(day=1)

    def dbt_variables(self) -> dict[str, Any]:
        """The same as variables of a dbt run."""
        return {
            "as_of": self.as_of.isoformat(),
            "reporting_timezone": self.reporting_timezone,
            "vendor_cost_basis": self.vendor_cost_basis,
            "failed_generations_are_billed": self.failed_generations_are_billed,
            "credit_price_usd": float(self.credit_price_usd),
            "cost_tolerance_usd": float(self.cost_tolerance_usd),
            "shadow_charge_window_seconds": self.shadow_charge_window_seconds,
            "refund_window_hours": self.refund_window_hours,
            "stuck_after_minutes": self.stuck_after_minutes,
            "credit_breakage_months": self.credit_breakage_months,
        }


@dataclass(frozen=True)
class LedgerRow:
    """One ledger row that is kept."""

    id: str
    user_id: str | None
    kind: str
    is_bought: bool
    direction: int
    credits: Decimal
    cost_usd: Decimal | None
    provider: str | None
    enhancement_type: str | None
    api_request_id: str | None
    status: str | None
    created_at: datetime

    @property
    def order(self) -> tuple[datetime, str]:
        """Time order, ties by id."""
        return self.created_at, self.id

    @property
    def is_bare(self) -> bool:
        """Whether request id, provider and cost are all missing."""
        return self.api_request_id is None and self.provider is None and self.cost_usd is None


@dataclass(frozen=True)
class Task:
    """One row of `enhancement_tasks` that is kept."""

    id: str
    user_id: str | None
    provider: str | None
    enhancement_type: str | None
    status: str
    cost_usd: Decimal | None
    created_at: datetime
    ended_at: datetime | None
    processing_seconds: Decimal | None
    error_message: str | None


@dataclass(frozen=True)
class Balance:
    """One row of `user_credits` that is kept."""

    user_id: str
    credits: Decimal
    subscription_tier: str | None


@dataclass
class Kept:
    """What the marts count, and what they do not."""

    ledger: list[LedgerRow] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)

    def reject(self, table: str, row_id: str | None, reason: str) -> None:
        """Note a row that no mart counts."""
        self.rejected.append({"source_table": table, "row_id": row_id, "reject_reason": reason})


def clean_id(value: Any) -> str | None:
    """An id in its one spelling, nothing as None, what is no id as a hash."""
    return shown_id(value)


def clean_name(value: str | None) -> str | None:
    """A name trimmed and in lower case, nothing as None."""
    return shown_name(value)


def clean_provider(value: str | None) -> str | None:
    """A provider under its one name."""
    name = clean_name(value)
    return seeds.provider_aliases().get(name, name) if name else None


def clean_status(value: str | None) -> str | None:
    """A status under its one name, an unknown one as the app spells it."""
    name = clean_name(value)
    return seeds.statuses().get(name, name) if name else None


def clean_cost(value: Decimal | None) -> Decimal | None:
    """US dollars; what is negative or not a number is no cost."""
    if value is None or not Decimal(value).is_finite() or value < 0:
        return None
    return Decimal(value)


def is_possible_amount(value: Decimal | float) -> bool:
    """Whether a number can be an amount of credits."""
    return Decimal(value).is_finite() and abs(Decimal(value)) <= LARGEST_AMOUNT


def clean_time(value: datetime | None) -> datetime | None:
    """An aware moment in UTC; a time without zone is UTC."""
    if value is None:
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def clean(tables: AppTables, options: Options) -> Kept:
    """Read the rows that exist at `as_of`."""
    kept = Kept()
    _keep_ledger(kept, tables.credit_transactions, options)
    _keep_tasks(kept, tables.enhancement_tasks, options)
    _keep_balances(kept, tables.user_credits)
    return kept


def _existing(rows: Iterable[Row], as_of: datetime) -> list[Row]:
    return [row for row in rows if (clean_time(row.get("created_at")) or LONG_AGO) <= as_of]


def _latest(rows: Iterable[Row], key: str) -> dict[str, Row]:
    """The most recently updated row of each id."""
    latest: dict[str, Row] = {}
    for row in sorted(rows, key=_recency):
        latest[clean_id(row[key])] = row
    return latest


def _first_written(rows: Iterable[Row]) -> dict[str, Row]:
    """The row of each id that was written first; one without a time only if there is no other."""
    first: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: (row["created_at"] is None, _recency(row))):
        first.setdefault(clean_id(row["id"]), row)
    return first


def _recency(row: Row) -> tuple[datetime, datetime]:
    return (
        clean_time(row.get("updated_at")) or LONG_AGO,
        clean_time(row.get("created_at")) or LONG_AGO,
    )


def _kind(row: Row) -> tuple[str, int | None] | None:
    kinds = seeds.transaction_kinds()
    transaction_type = clean_name(row["transaction_type"])
    enhancement_type = clean_name(row["enhancement_type"])
    return kinds.get((transaction_type, enhancement_type)) or kinds.get((transaction_type, None))


def _movement(row: Row) -> tuple[str, int]:
    """What a ledger row is, and 1 where it gives credits, -1 where it takes them, else 0."""
    kind, direction = _kind(row)
    if direction is None:
        amount = row["credits_used"]
        direction = (amount > 0) - (amount < 0)
    effect = seeds.ledger_effects().get(clean_name(row["status"]))
    if effect == "hold" and direction < 0:
        return "hold", direction
    return ("no effect", 0) if effect else (kind, direction)


def _keep_ledger(kept: Kept, rows: list[Row], options: Options) -> None:
    rows = _existing(rows, options.as_of)
    first = _first_written(rows)
    for row in rows:
        row_id = clean_id(row["id"])
        reason = (
            "missing_id" * (row_id is None)
            or "duplicate_id" * (row is not first[row_id])
            or "missing_created_at" * (row["created_at"] is None)
            or "impossible_created_at" * (clean_time(row["created_at"]) < EPOCH)
            or "missing_credits" * (row["credits_used"] is None)
            or "impossible_credits" * (not is_possible_amount(row["credits_used"]))
            or "unknown_transaction_type" * (_kind(row) is None)
        )
        if reason:
            kept.reject("credit_transactions", row_id, reason)
            continue
        kind, direction = _movement(row)
        kept.ledger.append(
            LedgerRow(
                id=row_id,
                user_id=clean_id(row["user_id"]),
                kind=kind,
                is_bought=clean_name(row["transaction_type"]) in seeds.bought_types(),
                direction=direction,
                credits=abs(Decimal(row["credits_used"])),
                cost_usd=clean_cost(row["cost_usd"]),
                provider=clean_provider(row["provider"]),
                enhancement_type=clean_name(row["enhancement_type"]),
                api_request_id=clean_id(row["api_request_id"]),
                status=clean_status(row["status"]),
                created_at=clean_time(row["created_at"]),
            )
        )
    kept.ledger.sort(key=lambda row: row.order)


def _keep_tasks(kept: Kept, rows: list[Row], options: Options) -> None:
    first_charge_at = {
        row.api_request_id: row.created_at
        for row in reversed(kept.ledger)
        if row.kind == "generation_charge"
    }
    rows = _existing(rows, options.as_of)
    latest = _latest(rows, "id")
    for row in rows:
        task_id = clean_id(row["id"])
        created_at = clean_time(row.get("created_at")) or first_charge_at.get(task_id)
        reason = (
            "missing_id" * (task_id is None)
            or "duplicate_id" * (row is not latest[task_id])
            or "impossible_created_at" * ((clean_time(row.get("created_at")) or EPOCH) < EPOCH)
            or "missing_created_at" * (created_at is None)
        )
        if reason:
            kept.reject("enhancement_tasks", task_id, reason)
            continue
        status = clean_status(row["status"]) or "unknown"
        kept.tasks.append(
            Task(
                id=task_id,
                user_id=clean_id(row["user_id"]),
                provider=clean_provider(row["provider"]),
                enhancement_type=clean_name(row["enhancement_type"]),
                status=status,
                cost_usd=clean_cost(row["cost_usd"]),
                created_at=created_at,
                ended_at=_ended_at(row, status),
                processing_seconds=_processing_seconds(row, status),
                error_message=shown_message(row["error_message"]),
            )
        )


def _ended_at(row: Mapping[str, Any], status: str) -> datetime | None:
    if status not in ("completed", "failed", "cancelled"):
        return None
    times = (row.get(name) for name in ("completed_at", "failed_at", "updated_at"))
    return clean_time(next((time for time in times if time is not None), None))


def _processing_seconds(row: Mapping[str, Any], status: str) -> Decimal | None:
    milliseconds = row.get("processing_time_ms")
    if milliseconds is None or status not in ("completed", "failed", "cancelled"):
        return None
    return Decimal(milliseconds) / 1000


def _keep_balances(kept: Kept, rows: list[Row]) -> None:
    latest = _latest(rows, "user_id")
    for row in rows:
        user_id = clean_id(row["user_id"])
        reason = (
            "missing_user_id" * (user_id is None)
            or "duplicate_user_id" * (row is not latest[user_id])
            or "impossible_balance" * (not is_possible_amount(row["current_balance"] or 0))
        )
        if reason:
            kept.reject("user_credits", user_id, reason)
            continue
        kept.balances.append(
            Balance(
                user_id,
                Decimal(row["current_balance"] or 0),
                clean_name(row["subscription_tier"]),
            )
        )
