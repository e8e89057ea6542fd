"""The task of a charge that names none: that of the same user at the same time."""

from dataclasses import dataclass

from inspect_app import directions, kinds
from inspect_app.catalogue import Column, literal, quoted
from inspect_app.proposal import MEDIUM, Line, Mapped
from inspect_app.samples import Sampler

ROWS = 1000
OWN = 0.8
WINDOW = "interval '10 minutes'"
# Which of the user's tasks is a charge's; charges are written before the task, after, or both.
ORDERS = {
    "nearest": ("", "abs(extract(epoch from its_time - {at}))"),
    "next": (" and its_time >= {at} - interval '1 second'", "its_time"),
    "last": (" and its_time <= {at} + interval '1 second'", "its_time desc"),
}


@dataclass(frozen=True)
class Link:
    """How charges find their task, and the share of them that have one of their own."""

    expression: str
    share: float
    own: int
    reason: str


def charges(sampler: Sampler, ledger: Mapped) -> list[str]:
    """The ledger's kinds that charge for generations, by names, signs or balances."""
    kind, amount = ledger.line("transaction_type"), ledger.line("credits_used")
    if ledger.table is None or kind is None or amount is None:
        return []
    found = sampler.words(ledger.table, read(kind)) or ()
    untold = {word for word in found if kinds.by_name(word)[0] is None}
    value = read(amount)
    taking = (
        {
            word
            for word, rows, negative in sampler.grouped(
                ledger.table, read(kind), f"count(*) filter (where {value} < 0)"
            )
            if word in untold and negative == rows
        }
        if untold
        else set()
    )
    moves = directions.by_balances(sampler, ledger, read(kind), value) if untold else {}
    taking |= {word for word in untold if moves.get(word, (0, 0))[0]}
    return [word for word in found if kinds.by_name(word)[0] == kinds.GENERATION or word in taking]


def named(sampler: Sampler, ledger: Mapped, names: list[str]) -> float:
    """The share of charges that name a task, be it there or gone."""
    refers = ledger.line("api_request_id")
    if ledger.table is None or refers is None or refers.shown == "null" or not names:
        return 0.0
    found = sampler.ask(
        f"select count(*), count({read(refers)}) from (select * from {ledger.table.sql} as app_row"
        f" where {is_charge(ledger, names)} limit {ROWS}) as app_row",
        ledger.table.label,
    )
    asked, there = found[0] if found else (0, 0)
    return there / asked if asked else 0.0


def link(sampler: Sampler, ledger: Mapped, tasks: Mapped, names: list[str]) -> Link | None:
    """How charges best find the tasks of their user by time; None where there is no way."""
    lines = [each.line(name) for each in (ledger, tasks) for name in ("user_id", "created_at")]
    key = tasks.line("id")
    if ledger.table is None or tasks.table is None or key is None or not names:
        return None
    if any(line is None or line.shown == "null" for line in lines):
        return None
    user, at, its_user, its_time = (line for line in lines if line is not None)
    best: Link | None = None
    for cast in ("{}", "cast({} as text)"):
        for order, (condition, by) in ORDERS.items():
            when = _time(at, ledger)
            rows = (
                f"(select {read(key)} as its_id, {cast.format(read(its_user))} as its_user,"
                f" {_time(its_time, tasks)} as its_time from {tasks.table.sql} as app_row)"
            )
            expression = (
                f"(select its_id from {rows} as task where its_user ="
                f" {cast.format(read(user))} and its_time between {when} - {WINDOW} and"
                f" {when} + {WINDOW}{condition.format(at=when)}"
                f" order by {by.format(at=when)} limit 1)"
            )
            found = sampler.ask(
                f"select count(*), count(distinct found) from (select {expression} as found from"
                f" (select * from {ledger.table.sql} as app_row where {is_charge(ledger, names)}"
                f" limit {ROWS}) as app_row) as charges",
                ledger.table.label,
            )
            if found is None:
                # The users' types differ.
                break
            asked, own = found[0]
            share = own / asked if asked else 0.0
            if best is None or share > best.share:
                told = f"no column names the task: the {order} of its user within 10 minutes"
                best = Link(expression, share, own, f"{told}, as {share:.0%} have one of their own")
        if best is not None:
            break
    return best


def refer(ledger: Mapped, names: list[str], found: Link) -> None:
    """Write it, beside what a few rows name themselves."""
    line = ledger.line("api_request_id")
    condition = is_charge(ledger, names)
    expression = f"case when {condition} then {found.expression} end"
    if line is not None and line.shown != "null":
        expression = (
            f"coalesce(cast({read(line)} as text), case when {condition} then"
            f" cast({found.expression} as text) end)"
        )
    ledger.replace(Line("api_request_id", None, found.reason, MEDIUM, expression))


def is_charge(ledger: Mapped, names: list[str]) -> str:
    """Whether a row of the ledger is a charge, as SQL."""
    kind = ledger.line("transaction_type")
    assert kind is not None
    listed = ", ".join(literal(word.lower()) for word in names)
    return f'lower(btrim(cast({read(kind)} as text)) collate "C") in ({listed})'


def read(line: Line) -> str:
    """What a line reads of a row, as SQL that means the same within a query of other tables."""
    return line.expression or f"app_row.{quoted(line.value or '')}"


def _time(line: Line, mapped: Mapped) -> str:
    column: Column | None = mapped.table.columns.get(line.value or "") if mapped.table else None
    if column is not None and column.type == "timestamp without time zone":
        return f"({read(line)} at time zone 'UTC')"
    return read(line)
