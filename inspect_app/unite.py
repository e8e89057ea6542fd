"""Generations in several tables, such as images and videos, as one query in a table's place."""

from collections.abc import Callable, Sequence

from inspect_app import by_time, columns, ledger, words
from inspect_app.catalogue import INTEGERS, Column, Table, literal, quoted
from inspect_app.proposal import HIGH, MEDIUM, TASKS, Line, Mapped
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
        user, when = columns.users(table), columns.named(table, words.CREATED_COLUMNS)
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
        has_status = bool(columns.named(other, words.STATUS_COLUMNS))
        return has_status and bool(columns.users(other))
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


def united(
    sampler: Sampler, of_ledger: Mapped, tables: list[Table], propose: Callable[[Table], Mapped]
) -> Mapped:
    """The tables as one; a single table as it is."""
    parts = [propose(table) for table in tables]
    if len(parts) == 1:
        return parts[0]
    names = [
        name
        for name in TYPES
        if any((line := part.line(name)) and line.shown != "null" for part in parts)
        or (
            name == "enhancement_type"
            and all(medium(part.table.name) != "unknown" for part in parts if part.table)
        )
    ]
    queries = []
    for part in parts:
        assert part.table is not None
        read = ",\n    ".join(f"{_read(part, name)} as {name}" for name in names)
        queries.append(f"select\n    {read}\nfrom {part.table.sql} as app_row")
    label = " and ".join(table.label for table in tables)
    made = Table(
        tables[0].schema,
        label,
        "query",
        sum(table.rows for table in tables),
        True,
        any(table.hides_rows for table in tables),
        {name: Column(name, TYPES[name], _labels(parts, name)) for name in names},
        keys=(frozenset(["id"]),),
        query="\nunion all\n".join(queries),
    )
    told = f"{len(tables)} tables of generations, none of which is a part or a copy of another"
    result = Mapped(TASKS, made, f"{label}: {told}", MEDIUM)
    for name in TYPES:
        if name in names:
            result.lines.append(Line(name, name, "of each table", MEDIUM))
        elif name not in ("failed_at", "processing_time_ms"):
            result.lines.append(Line(name, None, "no table has it", MEDIUM))
    return result


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


def _read(part: Mapped, name: str) -> str:
    """One of our columns of a part, as SQL of its type."""
    line, table = part.line(name), part.table
    assert table is not None
    if line is None or line.shown == "null":
        word = medium(table.name)
        if name == "enhancement_type" and word != "unknown":
            return literal(word)
        return f"cast(null as {TYPES[name]})"
    read = line.expression or quoted(line.value or "")
    column = table.columns.get(line.value or "")
    if name == "id" and prefix(table, line):
        return f"{literal(prefix(table, line))} || {read}"
    if name in TEXTS:
        if column is not None and column.is_json:
            return f"{read} #>> cast('{{}}' as text[])"
        return f"cast({read} as text)"
    if column is not None and column.type == "timestamp without time zone":
        return f"{read} at time zone 'UTC'"
    return f"cast({read} as numeric)" if name in NUMBERS else read


def refer(
    sampler: Sampler, of_ledger: Mapped, tables: list[Table], propose: Callable[[Table], Mapped]
) -> None:
    """Write which generation a ledger row names, whichever table it is in."""
    assert of_ledger.table is not None
    reads, told = [], []
    for table in tables:
        found = ledger.references(sampler, of_ledger.table, table)
        part = propose(table)
        best = next(iter(found), None)
        if best is None:
            continue
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
