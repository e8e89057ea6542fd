"""What the scanner answers."""

from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Finding:
    """One use of something retired.

    Attributes:
        path: the file, from the root of the checkout.
        line: its line, from 1.
        kind: table, column, function, route, alert, field, dependent or file.
        name: what is used.
        use: how: query, call, request, definition, drop, change, type, value, mention or file.
        certainty: `sure`, or `check` where only a person can tell.
        action: what to do.
    """

    path: str
    line: int
    kind: str
    name: str
    use: str
    certainty: str
    action: str


@dataclass
class Report:
    """Everything of one checkout: findings in order, and what could not be read."""

    root: str
    files: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
