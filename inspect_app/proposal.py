"""What is proposed, line by line, each with its reason."""

from dataclasses import dataclass, field
from typing import Any

from inspect_app.catalogue import Table

HIGH, MEDIUM, LOW = "high", "medium", "low"
LEDGER, TASKS, BALANCES = "credit_transactions", "enhancement_tasks", "user_credits"
ROLES = {LEDGER: "ledger", TASKS: "task table", BALANCES: "balances"}
LACKS = {
    LEDGER: "credits used, refunded and earned are 0, and no balance is compared",
    TASKS: "each charge is a generation; ends, durations and errors are not known",
    BALANCES: "users with credits and credits in circulation are 0, tiers are empty",
}


@dataclass(frozen=True)
class Line:
    """Which of the app's columns is one of ours: `value`, or an SQL `expression`; else null."""

    column: str
    value: str | None
    reason: str
    confidence: str = HIGH
    expression: str | None = None

    @property
    def shown(self) -> str:
        """What the mapping says after the colon, without YAML's quotes."""
        return self.expression or self.value or "null"


@dataclass(frozen=True)
class ValueRow:
    """One row of a vocabulary or list of the mapping."""

    row: dict[str, Any]
    reason: str
    confidence: str = HIGH


@dataclass
class Mapped:
    """One of our tables and the app's table that takes its part; without a table it is missing."""

    role: str
    table: Table | None
    reason: str
    confidence: str
    lines: list[Line] = field(default_factory=list)

    def line(self, column: str) -> Line | None:
        """The line of one of our columns."""
        return next((line for line in self.lines if line.column == column), None)

    def replace(self, line: Line) -> None:
        """Put a line in the place of the one of the same column."""
        self.lines = [line if each.column == line.column else each for each in self.lines]


@dataclass
class Proposal:
    """A whole mapping, and what could not be told."""

    tables: list[Mapped]
    values: dict[str, list[ValueRow]] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)

    def table(self, role: str) -> Mapped:
        """What is proposed for one of our tables."""
        return next(each for each in self.tables if each.role == role)
