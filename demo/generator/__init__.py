"""An app's history, drawn inside the server: seeded, set-based, in bounded memory."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from demo.generator.rates import Rates

__all__ = ["History", "Rates", "generate"]

CHUNK = 100_000  # generations per round trip: a second's work, and what bounds memory


@dataclass(frozen=True)
class History:
    """What to generate. Equal histories give equal rows, whenever and wherever they are made.

    Attributes:
        as_of: the end, timezone-aware; no row is younger.
        generations: their exact number under the contract's rules, at least 1.
        months: calendar months (UTC) covered, the last one being that of `as_of`.
        seed: any integer; another seed gives another history.
        rates: how often each defect occurs.
    """

    as_of: datetime
    generations: int = 20_000
    months: int = 6
    seed: int = 1
    rates: Rates = field(default_factory=Rates)

    def __post_init__(self) -> None:
        if self.generations < 1 or self.months < 1:
            raise ValueError("generations and months must be 1 or more")
        if self.as_of.tzinfo is None:
            raise ValueError("as_of needs a timezone, for instance 2025-01-01T00:00:00+00:00")


def generate(
    connection: Connection, history: History, on_progress: Callable[[int], None] = lambda done: None
) -> None:
    """Replace the rows of the app's tables by `history`, in one transaction.

    Args:
        connection: the tables' owner, outside of a transaction.
        history: what to generate.
        on_progress: called with the number of generations written so far.
    """
    was_autocommit = connection.autocommit
    connection.autocommit = False
    try:
        with connection, connection.cursor() as cursor:
            _fill(cursor, history, on_progress)
    finally:
        connection.autocommit = was_autocommit


def _fill(cursor: Cursor, history: History, on_progress: Callable[[int], None]) -> None:
    cursor.execute(
        """
        truncate enhancement_tasks, credit_transactions, user_credits, system_alerts, credit_pools,
            credit_purchase_requests, api_providers, platform_credits,
            platform_credit_consumption, auth.users;
        -- One sort at the end is quicker than a look-up for each row.
        alter table enhancement_tasks drop constraint enhancement_tasks_pkey;
        alter table credit_transactions drop constraint credit_transactions_pkey;
        set local timezone to 'UTC';
        set local jit to off;
        set local work_mem to '128MB';
        set local maintenance_work_mem to '256MB'
        """
    )
    parameters = _parameters(cursor, history)
    cursor.execute(_sql("prepare"), parameters)
    for first_hour, last_hour, done in _chunks(cursor):
        chunk = {**parameters, "first_hour": first_hour, "last_hour": last_hour}
        cursor.execute(_sql("slots"), chunk)
        cursor.execute(_sql("rows"), chunk)
        on_progress(done)
    cursor.execute(_sql("finish"), parameters)
    cursor.execute(
        """
        alter table enhancement_tasks add primary key (id);
        alter table credit_transactions add primary key (id);
        analyze
        """
    )


def _parameters(cursor: Cursor, history: History) -> dict[str, Any]:
    cursor.execute(
        "select date_trunc('month', %s - interval '1 millisecond') - %s * interval '1 month'",
        (history.as_of, history.months - 1),
    )
    (start,) = cursor.fetchone()
    return {
        **asdict(history.rates),
        "as_of": history.as_of,
        "start": start,
        "generations": history.generations,
        "users": max(history.generations // 10, 10),
        "seed": history.seed,
    }


def _chunks(cursor: Cursor) -> Iterator[tuple[datetime, datetime, int]]:
    """First hour, last hour and the number of generations until then, chunk by chunk."""
    cursor.execute("select hour_start, last_slot from hours order by hour_start")
    hours = cursor.fetchall()
    first_hour, done = hours[0][0], 0
    for (hour, last_slot), following in zip(hours, [*hours[1:], None], strict=True):
        if following is None or following[1] - done > CHUNK:
            yield first_hour, hour, last_slot
            if following:
                first_hour, done = following[0], last_slot


def _sql(name: str) -> str:
    return Path(__file__).with_name(f"{name}.sql").read_text()
