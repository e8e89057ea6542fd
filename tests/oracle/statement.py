"""The vendor's statement matched prediction by prediction in plain Python: docs/statement.md."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

ENDED = ("completed", "failed", "cancelled")
ZERO = Decimal(0)


@dataclass(frozen=True)
class Generation:
    """What the app knows of a call; `cost` is what it recorded, whatever the status."""

    id: str
    prediction: str
    status: str
    created_at: datetime
    cost: Decimal | None
    list_price: Decimal | None


@dataclass(frozen=True)
class Line:
    """A line of the statement that counts; `kind` is charge, refund or pending."""

    key: str
    prediction: str
    kind: str
    amount: Decimal
    billed_at: datetime
    is_known_model: bool = True
    list_price: Decimal | None = None


@dataclass
class Row:
    """A generation, a line, or both."""

    generation: Generation | None
    line: Line | None
    status: str = ""
    excess: Decimal = ZERO
    claim: Decimal = ZERO

    @property
    def app_cost(self) -> Decimal:
        """What the app counts as a cost."""
        if not self.generation or self.generation.status != "completed":
            return ZERO
        return self.generation.cost or ZERO

    @property
    def amount(self) -> Decimal:
        """What the line adds to the invoice."""
        return _signed(self.line) if self.line else ZERO


@dataclass(frozen=True)
class Rules:
    """What the answers depend on apart from rows."""

    zone: str = "UTC"
    tolerance: Decimal = Decimal("0.0001")
    settle_hours: int = 24


def match(
    generations: Sequence[Generation], lines: Sequence[Line], rules: Rules
) -> tuple[list[Row], dict[date, dict[str, Decimal]]]:
    """All rows, and by month the invoice, the app's cost, the claim and each cause."""
    by_prediction: dict[str, tuple[list[Generation], list[Line]]] = defaultdict(lambda: ([], []))
    for generation in sorted(generations, key=lambda each: (each.created_at, each.id)):
        by_prediction[generation.prediction][0].append(generation)
    for line in sorted(lines, key=lambda each: (each.billed_at, each.key)):
        by_prediction[line.prediction][1].append(line)
    young_from = max(
        (line.billed_at for line in lines), default=datetime.max.replace(tzinfo=ZoneInfo("UTC"))
    ) - timedelta(hours=rules.settle_hours)
    covered = {_month(line.billed_at, rules) for line in lines}
    rows: list[Row] = []
    months: dict[date, dict[str, Decimal]] = {month: defaultdict(lambda: ZERO) for month in covered}
    for found, billed in by_prediction.values():
        of_prediction = _pair(found, billed)
        _claim(of_prediction, billed, young_from)
        for row in of_prediction:
            row.status = _status(row, found, billed, covered, young_from, rules)
            _enter(months, row, billed, rules)
        rows += of_prediction
    return rows, months


def _pair(generations: list[Generation], lines: list[Line]) -> list[Row]:
    charges = [line for line in lines if line.kind == "charge"]
    first = charges[0] if charges else None
    rows = [
        Row(generation, first if at == 0 else None) for at, generation in enumerate(generations)
    ]
    taken = first if generations else None
    return rows + [Row(None, line) for line in lines if line is not taken]


def _claim(rows: list[Row], lines: list[Line], young_from: datetime) -> None:
    charges = [line for line in lines if line.kind == "charge"]
    given_back = sum((line.amount for line in lines if line.kind == "refund"), ZERO)
    with_charge = [row for row in rows if row.line and row.line.kind == "charge"]
    for row in sorted(with_charge, key=lambda each: (each.line.billed_at, each.line.key)):
        line, generation = row.line, row.generation
        if line is not charges[0] or generation is None:
            row.excess = line.amount
        elif generation.status in ("failed", "cancelled"):
            row.excess = ZERO if line.billed_at > young_from else line.amount
        elif generation.status == "completed":
            list_price = line.list_price if line.list_price is not None else generation.list_price
            row.excess = max(ZERO, line.amount - list_price) if list_price is not None else ZERO
        settled = min(given_back, row.excess)
        given_back -= settled
        row.claim = row.excess - settled


def _status(
    row: Row,
    generations: list[Generation],
    lines: list[Line],
    covered: set[date],
    young_from: datetime,
    rules: Rules,
) -> str:
    kinds = [line.kind for line in lines]
    generation, line = row.generation, row.line
    if line is None:
        assert generation
        if generation.status not in ENDED or (generation is generations[0] and "pending" in kinds):
            return "provisional"
        if generation.status != "completed":
            return "agrees"
        if generation.created_at > young_from:
            return "provisional"
        return "only_app" if _month(generation.created_at, rules) in covered else "no_statement"
    if line.kind == "refund":
        return "refunded_by_vendor" if "charge" in kinds else "refund_without_charge"
    if line.kind == "pending":
        return "superseded" if "charge" in kinds or "refund" in kinds else "provisional"
    if row.excess and not row.claim:
        return "refunded_by_vendor"
    if generation is None:
        first = next(each for each in lines if each.kind == "charge")
        if line is not first:
            return "billed_twice"
        return "only_vendor" if line.is_known_model else "unknown_model"
    if generation.status not in ENDED:
        return "provisional"
    if generation.status != "completed":
        if line.amount == 0:
            return "agrees"
        return "provisional" if line.billed_at > young_from else "failed_billed"
    if generation.cost is None:
        return "app_cost_unknown"
    agrees = abs(line.amount - generation.cost) <= rules.tolerance
    return "agrees" if agrees else "amount_differs"


def _enter(
    months: dict[date, dict[str, Decimal]], row: Row, lines: list[Line], rules: Rules
) -> None:
    def add(moment: datetime, name: str, amount: Decimal) -> None:
        if (month := _month(moment, rules)) in months:
            months[month][name] += amount

    if row.generation:
        add(row.generation.created_at, "app_cost", row.app_cost)
    if not row.line:
        assert row.generation
        add(row.generation.created_at, _cause(row, lines, rules), -row.app_cost)
        return
    add(row.line.billed_at, "invoice", row.amount)
    add(row.line.billed_at, "claim", row.claim)
    add(row.line.billed_at, _cause(row, lines, rules), row.amount - row.app_cost)
    if row.generation and _month(row.generation.created_at, rules) != _month(
        row.line.billed_at, rules
    ):
        add(row.line.billed_at, "timing", row.app_cost)
        add(row.generation.created_at, "timing", -row.app_cost)


def _cause(row: Row, lines: list[Line], rules: Rules) -> str:
    if row.status == "refunded_by_vendor":
        paid = {_month(line.billed_at, rules) for line in lines if line.kind != "pending"}
        return "refund_timing" if len(paid) > 1 else "refunded"
    return {"agrees": "rounding", "superseded": "rounding", "no_statement": "only_app"}.get(
        row.status, row.status
    )


def _signed(line: Line) -> Decimal:
    return {"charge": line.amount, "refund": -line.amount, "pending": ZERO}[line.kind]


def _month(moment: datetime, rules: Rules) -> date:
    return moment.astimezone(ZoneInfo(rules.zone)).date().replace(day=1)
