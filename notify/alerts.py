"""The mart `alerts`, as the reader role sees it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reader.database import Database

QUERY = """
select alert_id, kind, severity, message, value, since, mart, mart_column
from {schema}.alerts
order by severity, kind, subject
"""


@dataclass(frozen=True)
class Alert:
    """One open alert."""

    alert_id: str
    kind: str
    severity: str
    message: str
    value: Decimal
    since: datetime | None
    mart: str
    mart_column: str

    def __str__(self) -> str:
        since = f", since {self.since:%Y-%m-%d %H:%M} UTC" if self.since else ""
        return f"{self.severity}: {self.message} ({self.mart}.{self.mart_column}{since})"


def read(database: Database) -> tuple[str, list[Alert]]:
    """Where the marts are, and the alerts that are open now, critical ones first.

    Raises:
        Problem: no server answers, or the mart is missing, too old or closed.
    """
    with database.snapshot() as snapshot:
        rows = snapshot.rows(QUERY, ("alerts",), {})
        return snapshot.place, [Alert(**row) for row in rows]
