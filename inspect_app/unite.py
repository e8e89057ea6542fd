"""Generations in several tables, such as images and videos, as one query in a table's place.

So are balances of users in one table, and of teams in another.
"""

from collections.abc import Callable, Sequence

from inspect_app import by_time, columns, ledger, words
from inspect_app.catalogue import INTEGERS, Column, Table, literal, quoted
from inspect_app.proposal import BALANCES, HIGH, LEDGER, MEDIUM, TASKS, Line, Mapped
from inspect_app.samples import Sampler
from inspect_app.vocabularies import medium

MOST = 4
TIMES = ("created_at", "completed_at", "failed_at", "updated_at")
NUMBERS = ("cost_usd", "processing_time_ms")
TEXTS = ("id", "user_id", "provider", "status", "error_message", "enhancement_type")
TYPES = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(NUMBERS, "numeric"),
    **dict.fromkeys(TIMES, "timestamp with time zone"),
}
OPTIONAL = {"failed_at", "processing_time_ms", "consumed_this_month", "monthly_allowance"}
OF_LEDGER = {
    **dict.fromkeys(("id", "user_id", "transaction_type"), "text"),
    "credits_used": "numeric",
    **dict.fromkeys(("api_request_id", "status"), "text"),
    "created_at": "timestamp with time zone",
}
CHARGED = "usage"
OF_BALANCES = {
    **dict.fromkeys(("user_id", "subscription_tier"), "text"),
    **dict.fromkeys(("current_balance", "consumed_this_month", "monthly_allowance"), "numeric"),
    "updated_at": "timestamp with time zone",
}


def siblings(
    sampler: Sampler,
    of_ledger: Mapped,
    best: Table,
    others: Sequence[Table],
    propose: Callable[[Table], Mapped],
) -> list[Table]:
    """The table and those that hold further generations: none is a part or a copy of another."""
    kept = [best]
    for other in others:
        if len(kept) == MOST or other.kind == "view" or sampler.is_empty(other):
            continue
        if any(_is_related(sampler, one, other) or _is_copy(sampler, one, other) for one in kept):
            continue
        if _adds(sampler, of_ledger, kept, other, propose):
            kept.append(other)
    return kept


def _is_related(sampler: Sampler, one: Table, other: Table) -> bool:
    """Whether a row of one names a row of the other: the steps or the outputs of a job."""
    for child, parent in ((one, other), (other, one)):
        if any(
            (to.schema, to.table) == (parent.schema, parent.name)
            for to in child.references.values()
        ):
            return True
        if not parent.key:
            continue
        for column in child.columns.values():
            parts = words.tokens(column.name)
            if column.name == child.key or column.labels or not (len(parts) > 1):
                continue
            if parts[-1] not in ("id", "ref", "uuid", "key") or column.type in INTEGERS:
                continue
            if sampler.share(sampler.values(child, column.name), parent, parent.key) >= 0.3:
                return True
    return False


def _is_copy(sampler: Sampler, one: Table, other: Table) -> bool:
    """Whether two tables hold the same rows: one replaced the other, or lists it."""
    keys = [table.columns[table.key] for table in (one, other) if table.key]
    if len(keys) == 2 and not any(key.type in INTEGERS for key in keys):
        assert one.key
        if sampler.share(sampler.values(other, keys[1].name), one, one.key) > 0:
            return True
    seen = []
    for table in (one, other):
        user, when = columns.users(table), columns.created(table)
        if not user or not when:
            return False
        rows = sampler.rows(table)
        seen.append({(row[user[0].name], row[when[0].name]) for row in rows})
    return len(seen[0] & seen[1]) > 0.2 * min(map(len, seen))


def _adds(
    sampler: Sampler,
    of_ledger: Mapped,
    kept: list[Table],
    other: Table,
    propose: Callable[[Table], Mapped],
) -> bool:
    """Whether a table has charges for its rows; without any ledger, whether it has tasks."""
    if of_ledger.table is None:
        # What calls no model is made of what the others made.
        return bool(
            columns.named(other, words.STATUS_COLUMNS)
            and columns.users(other)
            and (is_call(other) or not is_call(kept[0]))
        )
    found = ledger.references(sampler, of_ledger.table, other)
    key = other.columns[other.key].type if other.key else ""
    if found and (
        key not in INTEGERS
        or ledger.names(sampler, of_ledger.table, other)
        or ledger.is_narrowed(sampler, of_ledger.table, other, found[0])
    ):
        return True
    names = by_time.charges(sampler, of_ledger)
    alone = united(sampler, of_ledger, kept, propose)
    before = by_time.link(sampler, of_ledger, alone, names)
    after = by_time.link(
        sampler, of_ledger, united(sampler, of_ledger, [*kept, other], propose), names
    )
    return after is not None and after.share > (before.share if before else 0.0) + 0.05


def is_call(table: Table) -> bool:
    """Whether a table says what was asked of a model, of which one, or what that took."""
    found = {part for column in table.columns for part in words.tokens(column)}
    return bool(columns.named(table, words.PROVIDER_COLUMNS) or found & {"prompt", *words.CREDIT})


def united(
    sampler: Sampler, of_ledger: Mapped, tables: list[Table], propose: Callable[[Table], Mapped]
) -> Mapped:
    """The tables as one; a single table as it is."""
    parts = [propose(table) for table in tables]
    if len(parts) == 1:
        return parts[0]
    for part in parts:
        _tell_medium(sampler, part)
    told = f"{len(tables)} tables of generations, none of which is a part or a copy of another"
    return _as_one(TASKS, parts, TYPES, "id", told)


def _tell_medium(sampler: Sampler, part: Mapped) -> None:
    """Where no word of a type says what comes out, such as `edit`, the table's name does."""
    line = part.line("enhancement_type")
    if part.table is None or line is None or line.shown == "null":
        return
    found = sampler.words(part.table, by_time.read(line)) or ()
    if medium(part.table.name) != "unknown" and all(medium(word) == "unknown" for word in found):
        part.replace(Line("enhancement_type", None, "the table's name says what comes out"))


def balances(parts: list[Mapped]) -> Mapped:
    """Several tables of balances as one; a single table as it is."""
    if len(parts) == 1:
        return parts[0]
    told = f"{len(parts)} tables of balances, whose owners differ, and are all in the ledger"
    return _as_one(BALANCES, parts, OF_BALANCES, "user_id", told)


def _as_one(role: str, parts: list[Mapped], types: dict[str, str], key: str, told: str) -> Mapped:
    """Tables as one query of the columns that some of them have."""
    tables = [part.table for part in parts if part.table]
    names = [
        name
        for name in types
        if any((line := part.line(name)) and line.shown != "null" for part in parts)
        or (name == "enhancement_type" and role == TASKS)
    ]
    # Where no table's own words say what was made, its name does.
    known = {medium(table.name) for table in tables}
    is_told = len(known) == len(tables) and "unknown" not in known
    queries = []
    for part in parts:
        assert part.table is not None
        own = medium(part.table.name) if is_told else "_".join(words.tokens(part.table.name))
        reads = {
            name: literal(own) if _is_unnamed(part, name) else _read(part, name, types[name])
            for name in names
        }
        read = ",\n    ".join(f"{each} as {name}" for name, each in reads.items())
        queries.append(f"select\n    {read}\nfrom {part.table.sql} as app_row")
    label = " and ".join(table.label for table in tables)
    made = Table(
        tables[0].schema,
        label,
        "query",
        sum(table.rows for table in tables),
        True,
        any(table.hides_rows for table in tables),
        {name: Column(name, types[name], _labels(parts, name)) for name in names},
        keys=(frozenset([key]),),
        query="\nunion all\n".join(queries),
    )
    result = Mapped(role, made, f"{label}: {told}", MEDIUM)
    for name in types:
        if name in names:
            result.lines.append(Line(name, name, "of each table", MEDIUM))
        elif name not in OPTIONAL:
            result.lines.append(Line(name, None, "no table has it", MEDIUM))
    return result


def _is_unnamed(part: Mapped, name: str) -> bool:
    """Whether a part has no words for the type of what was made."""
    line = part.line(name)
    return name == "enhancement_type" and (line is None or line.shown == "null")


def _labels(parts: list[Mapped], name: str) -> tuple[str, ...]:
    """The words of a column that is an enum in each table."""
    found: list[str] = []
    for part in parts:
        line = part.line(name)
        column = part.table.columns.get(line.value or "") if part.table and line else None
        if column is None or not column.labels:
            return ()
        found += column.labels
    return tuple(dict.fromkeys(found))


def prefix(table: Table, line: Line | None) -> str:
    """What stands before the ids of a table, so that the same number in another is another id."""
    column = table.columns.get(line.value or "") if line else None
    return f"{words.plain(table.name)}-" if column is not None and column.type in INTEGERS else ""


def _read(part: Mapped, name: str, type_name: str, is_united: bool = True) -> str:
    """One of our columns of a part, as SQL of its type."""
    line, table = part.line(name), part.table
    assert table is not None
    if line is None or line.shown == "null":
        return f"cast(null as {type_name})"
    read = line.expression or quoted(line.value or "")
    column = table.columns.get(line.value or "")
    if name == "id" and is_united and prefix(table, line):
        return f"{literal(prefix(table, line))} || {read}"
    if type_name == "text":
        if column is not None and column.is_json:
            return f"{read} #>> cast('{{}}' as text[])"
        return f"cast({read} as text)"
    if column is not None and column.type == "timestamp without time zone":
        return f"{read} at time zone 'UTC'"
    return f"cast({read} as numeric)" if type_name == "numeric" else read


def with_charges(
    of_ledger: Mapped, parts: list[tuple[Mapped, Column]], free: list[str], is_signed: bool
) -> Mapped:
    """The ledger with a charge for each task that says what it took.

    Args:
        of_ledger: what it has otherwise, such as purchases; perhaps no table.
        parts: each table of tasks, and its column of what a task took.
        free: statuses of tasks that take nothing.
        is_signed: charges are negative in this ledger.
    """
    queries = []
    if of_ledger.table is not None:
        own = (f"{_read(of_ledger, name, OF_LEDGER[name])} as {name}" for name in OF_LEDGER)
        queries.append(f"select {', '.join(own)}\nfrom {of_ledger.table.sql} as app_row")
    for part, credits in parts:
        assert part.table is not None
        task = _read(part, "id", "text", len(parts) > 1)
        amount = number_of(credits)
        charge = {
            "id": f"'task-' || {task}",
            "user_id": _read(part, "user_id", "text"),
            "transaction_type": literal(CHARGED),
            "credits_used": f"cast({f'-1 * ({amount})' if is_signed else amount} as numeric)",
            "api_request_id": task,
            "status": "cast(null as text)",
            "created_at": _read(part, "created_at", "timestamp with time zone"),
        }
        where = f"{quoted(credits.name)} > 0"
        if free:
            status = f'lower({_read(part, "status", "text")} collate "C")'
            where += f" and {status} not in ({', '.join(literal(word) for word in free)})"
        made = ", ".join(f"{charge[name]} as {name}" for name in OF_LEDGER)
        queries.append(f"select {made}\nfrom {part.table.sql} as app_row where {where}")
    tables = [part.table for part, _ in parts if part.table]
    label = f"charges on {' and '.join(table.label for table in tables)}"
    if of_ledger.table is not None:
        label = f"{of_ledger.table.label} and {label}"
    kind = of_ledger.line("transaction_type")
    own_kind = of_ledger.table.columns.get(kind.value or "") if of_ledger.table and kind else None
    labels = (*own_kind.labels, CHARGED) if own_kind and own_kind.labels else ()
    table = Table(
        tables[0].schema,
        label,
        "query",
        sum(each.rows for each in tables),
        True,
        False,
        {
            name: Column(name, type_name, labels if name == "transaction_type" else ())
            for name, type_name in OF_LEDGER.items()
        },
        keys=(frozenset(["id"]),),
        query="\nunion all\n".join(queries),
    )
    told = f"what tasks took, by {', '.join(dict.fromkeys(each.name for _, each in parts))}"
    found = Mapped(LEDGER, table, f"{label}: {told}", MEDIUM)
    found.lines = [Line(name, name, told, MEDIUM) for name in OF_LEDGER]
    for name in ("cost_usd", "provider", "enhancement_type"):
        found.lines.append(Line(name, None, "the task's is read", MEDIUM))
    return found


def number_of(column: Column) -> str:
    """A column of credits as SQL, in whole credits."""
    unit = words.unit(column.name)
    return f"{quoted(column.name)} / {unit}.0" if unit > 1 else quoted(column.name)


def refer(
    sampler: Sampler, of_ledger: Mapped, tables: list[Table], propose: Callable[[Table], Mapped]
) -> None:
    """Write which generation a ledger row names, whichever table it is in."""
    assert of_ledger.table is not None
    reads, told = [], []
    for table in tables:
        part = propose(table)
        best = next(iter(ledger.references(sampler, of_ledger.table, table)), None)
        one = Mapped(of_ledger.role, of_ledger.table, "", HIGH, [Line("api_request_id", None, "")])
        ledger.refer(sampler, one, part, best)
        line = one.line("api_request_id")
        if line is None or line.shown == "null":
            continue
        read = line.expression or quoted(line.value or "")
        before = prefix(table, part.line("id"))
        reads.append(f"{literal(before)} || ({read})" if before else f"cast({read} as text)")
        told.append(line.reason)
    reads = list(dict.fromkeys(reads))
    if not reads:
        return
    expression = reads[0] if len(reads) == 1 else f"coalesce({', '.join(reads)})"
    of_ledger.replace(
        Line("api_request_id", None, "; ".join(dict.fromkeys(told)), MEDIUM, expression)
    )
