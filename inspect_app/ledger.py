"""The ledger: which table it is, and which of its columns are ours."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from inspect_app import columns, directions, kinds, words
from inspect_app.catalogue import INTEGERS, Column, Table, literal, quoted
from inspect_app.columns import Source
from inspect_app.proposal import HIGH, LEDGER, LOW, MEDIUM, Line, Mapped, ValueRow
from inspect_app.samples import Sampler, json_object, number

ENOUGH = 7.0
ONE_EACH = 5
SIDES = (
    *(("credit", "debit"), ("credits", "debits"), ("credits_in", "credits_out")),
    *(("amount_in", "amount_out"), ("credits_added", "credits_spent"), ("added", "spent")),
    *(("credits_added", "credits_used"), ("earned", "spent"), ("coins_in", "coins_out")),
)
OF_UNITS = "~(amount|delta|change)_(in_)?(cents|usd|dollars|seconds|minutes|hours)"
# What takes credits in a table of credits.
COSTS = ["cost", "total_cost", "used", "spent", "charged", "consumed"]
MOVE_ROWS = 20_000
GIVES = (kinds.GRANTED, kinds.REFUNDED, kinds.RELEASED)
TAKES = (kinds.GENERATION, kinds.OTHER, kinds.HELD)
BY_SIGN = "no column says what a row is: the amount's sign does"


# What else a ledger row may name, whose numbers may be those of tasks by chance.
NO_TASKS = {
    *("order", "payment", "invoice", "recharge", "subscription", "package", "plan", "wallet"),
    *("stripe", "coupon", "pack", "product", "price", "purchase", "checkout", "referral", "admin"),
}


@dataclass(frozen=True)
class Reference:
    """Where a ledger row names its task: a source, what is cut out of it, and how well it fits."""

    source: Source
    expression: str | None
    target: str
    share: float
    asked: int
    about: str = ""


def score(sampler: Sampler, table: Table, by_catalogue: bool = False) -> float:
    """How much a table looks like a ledger of credits; `by_catalogue` looks at no values."""
    name = words.tokens(table.name)
    parts = set(name)
    points = -4.0 * len(parts & words.NO_LEDGER)
    is_of_credits, is_ledger = parts & words.CREDIT, parts & words.LEDGER
    if parts & (words.TASK | words.OUTPUT) and not (is_of_credits or is_ledger):
        # A job that says what it took.
        return 0.0
    if not is_of_credits and columns.named(table, words.ERROR_COLUMNS):
        # What fails is a job too, whatever it is called.
        return 0.0
    points += 6 if is_of_credits and is_ledger else 3 if is_ledger else 2 if is_of_credits else 0
    points -= 2 if table.kind in ("view", "materialized view") else 0
    amount = _amounts(sampler, table, by_catalogue)
    when = columns.created(table)
    sides = _sides(table)
    if not (amount or sides) or not when:
        return 0.0
    amount = amount or [sides[0]] if sides else amount
    credit_amount = bool(set(words.tokens(amount[0].name)) & words.CREDIT) or is_of_credits
    points += 3 if credit_amount else 1
    points += 1 if columns.users(table) else 0
    points += 2 if columns.named(table, words.KIND_COLUMNS) else 0
    points += 2 if _balance_after(table) else 0
    points += 1 if columns.named(table, words.REFERENCE_COLUMNS) else 0
    marks = {part for column in table.columns for part in words.tokens(column)}
    points -= 2 if "currency" in marks else 0
    points -= 1 if "payment_status" in table.columns else 0
    if by_catalogue or sampler.is_empty(table):
        return points
    user = next(iter(columns.users(table)), None)
    owners = sampler.values(table, user.name) if user else []
    if len(owners) >= ONE_EACH and len(set(owners)) == len(owners):
        held = columns.named(table, words.BALANCE_COLUMNS, lambda each: each.is_number)
        # What each user has left, and not what moved it.
        points -= 6 if [each for each in held if each.name != amount[0].name] else 0
    values = sampler.numbers(table, amount[0].name)
    is_signed = sides is not None or any(value < 0 for value in values)
    points += 2 if is_signed and any(value > 0 for value in values) else 0
    kind = _kind_column(sampler, table, set())
    found = sampler.words(table, quoted(kind.name)) if kind else None
    if found:
        named = {kinds.by_name(value)[0] for value in found}
        if kinds.GENERATION in named:
            points += 3
        elif not is_signed and not named & {kinds.REFUNDED, kinds.HELD, kinds.OTHER}:
            is_named = bool(set(words.tokens(amount[0].name)) & words.CREDIT)
            points -= 2 if is_named else 3
    return points


def _amounts(sampler: Sampler, table: Table, by_catalogue: bool = False) -> list[Column]:
    def accept(column: Column) -> bool:
        if column.is_number:
            return True
        if by_catalogue and column.is_text:
            return words.best_rank(column.name, ["amount", "credits", "delta"]) is not None
        return columns.is_number_like(sampler, table, column)

    found = columns.named(table, words.AMOUNT_COLUMNS, accept)
    if not found:
        found = [
            column
            for column in table.columns.values()
            if accept(column) and words.is_move(column.name)
        ]
    if not found:
        # An app whose credits are cents, dollars or minutes.
        found = columns.named(table, ["cents", OF_UNITS], accept)
    if not found and set(words.tokens(table.name)) & words.CREDIT:
        found = columns.named(table, COSTS, lambda each: each.is_number)
    return found


def _sides(table: Table) -> tuple[Column, Column] | None:
    """A column for what comes in, and one for what goes out."""
    for into, out in SIDES:
        one = columns.named(table, [into, f"{into}_amount"], lambda each: each.is_number)
        other = columns.named(table, [out, f"{out}_amount"], lambda each: each.is_number)
        if one and other:
            return one[0], other[0]
    return None


def _balance_after(table: Table) -> Column | None:
    for column in table.columns.values():
        parts = set(words.tokens(column.name))
        if column.is_number and "after" in parts and parts & (words.CREDIT | {"amount"}):
            return column
    named = ["new_balance", "running_balance", "balance"]
    return next(iter(columns.named(table, named, lambda each: each.is_number)), None)


def _kind_column(sampler: Sampler, table: Table, taken: set[str]) -> Column | None:
    """The column whose values say best what a row is."""
    best: tuple[float, Column] | None = None
    usual = columns.named(table, words.KIND_COLUMNS, lambda each: each.is_text)
    others = [
        each
        for each in table.columns.values()
        if each.is_text
        and each not in usual
        and set(words.tokens(each.name)[-1:]) & words.KIND_ENDINGS
    ]
    for rank, column in enumerate([*usual, *others]):
        if column.name in taken:
            continue
        found = sampler.words(table, quoted(column.name))
        if not found or (column in others and not _says_all(sampler, table, column, found)):
            continue
        rows = sum(found.values())
        # Where some words say more, `credit` and `debit` are what is left.
        is_generic = all(set(words.tokens(value)) <= words.GENERIC for value in found)
        told = sum(
            count * (0.4 if is_generic else 1.0)
            for value, count in found.items()
            if kinds.by_name(value)[0] is not None
        )
        points = told / rows - 0.02 * rank
        if best is not None and told == rows and _refines(sampler, table, best[1], column):
            points += 0.5
        if best is None or points > best[0]:
            best = (points, column)
    if best is None:
        empty = columns.named(table, words.KIND_COLUMNS, lambda each: each.is_text)
        return next((each for each in empty if each.labels or sampler.is_empty(table)), None)
    return best[1]


def _says_all(sampler: Sampler, table: Table, column: Column, found: Iterable[str]) -> bool:
    """Whether each row has a word in a column, and each word says what it means."""
    return all(row[column.name] for row in sampler.rows(table)) and all(
        kinds.by_name(value)[0] for value in found
    )


def _refines(sampler: Sampler, table: Table, coarse: Column, fine: Column) -> bool:
    """Whether a column says what another does, and where the other gives credits, what for."""
    pairs = {(row[coarse.name], row[fine.name]) for row in sampler.rows(table)}
    told = [(one, *(kinds.by_name(word or "")[0] for word in (one, other))) for one, other in pairs]
    is_same = len({other for _, other in pairs}) == len(pairs) and all(
        own == kind or own in (GIVES if kind in GIVES else TAKES) for _, kind, own in told
    )
    given = [one for one, kind, _ in told if kind in GIVES]
    return is_same and len(given) > len(set(given))


def purchases(sampler: Sampler) -> Iterator[Mapped]:
    """The tables that say what users bought, as ledgers of nothing else."""
    for table in sampler.tables:
        is_named = set(words.tokens(table.name)) & words.BOUGHT
        if not (is_named and table.is_readable and columns.users(table) and columns.created(table)):
            continue
        if sampler.is_empty(table) or not _amounts(sampler, table):
            continue
        mapped = propose(sampler, table, f"{table.label} has what was bought", MEDIUM)
        mapped.replace(Line("transaction_type", None, "each is a purchase", MEDIUM, "'purchase'"))
        yield mapped


def propose(sampler: Sampler, table: Table, reason: str, confidence: str) -> Mapped:
    """The ledger's columns, all but the task that a row names, which `refer` finds."""
    user = _user(sampler, table)
    table, told = _of_users(sampler, table, user)
    mapped = Mapped(LEDGER, table, reason + told, confidence)
    mapped.lines.append(_id(table))
    mapped.lines.append(user)
    amount = _amount_line(sampler, table, user)
    taken = {amount.value or ""}
    kind = _kind_column(sampler, table, taken)
    taken |= {kind.name} if kind else set()
    # What says how credits move does not say what was made.
    taken |= {
        column.name
        for column in columns.named(table, words.KIND_COLUMNS, lambda each: each.is_text)
        if not all(
            words.stems(value) & words.WORK
            for value in sampler.words(table, quoted(column.name)) or ["none"]
        )
    }
    if kind is not None:
        taken |= _of_any_row(sampler, table, kind)
    mapped.lines.append(_kind_line(sampler, table, kind, amount))
    mapped.lines.append(amount)
    money = columns.money_line(sampler, table)
    if amount.value and money.value == amount.value:
        money = Line("cost_usd", None, f"{amount.value} is of credits")
    mapped.lines.append(money)
    for ours, synonyms in (
        ("provider", words.PROVIDER_COLUMNS),
        ("enhancement_type", words.TYPE_COLUMNS),
    ):
        line = columns.word_line(
            sampler, table, ours, synonyms, taken, "the ledger has none; the task's is read"
        )
        mapped.lines.append(line)
        taken |= {line.value or ""}
    mapped.lines.append(Line("api_request_id", None, "no column that names a task was found", LOW))
    mapped.lines.append(
        columns.word_line(
            sampler, table, "status", words.STATUS_COLUMNS, taken, "rows have no status"
        )
    )
    mapped.lines.append(_created(sampler, table))
    return mapped


def _of_any_row(sampler: Sampler, table: Table, kind: Column) -> set[str]:
    """The columns that rows have which give credits: who took the money, not what was called."""
    rows = [
        row
        for row in sampler.rows(table)
        if kinds.by_name(row[kind.name] or "")[0] == kinds.GRANTED
    ]
    return {
        column.name
        for column in columns.named(table, [*words.PROVIDER_COLUMNS, *words.TYPE_COLUMNS])
        if rows and sum(row[column.name] is not None for row in rows) >= 0.5 * len(rows)
    }


def _id(table: Table) -> Line:
    if table.key:
        return Line("id", table.key, "its only key" if len(table.keys) == 1 else "its key")
    found = columns.named(table, words.ID_COLUMNS)
    if found:
        return Line("id", found[0].name, f"named {found[0].name}, without a unique key", MEDIUM)
    return Line("id", None, "no key: rows are known by their content", MEDIUM)


def _user(sampler: Sampler, table: Table) -> Line:
    own = [column for column in columns.users(table) if column.name != table.key]
    fallbacks = [column for column in own if not _is_of_users(column)]
    own = [column for column in own if column not in fallbacks]
    # Of a member and an organization, whose the credits are.
    for column in sorted(own, key=lambda each: not has_balance(sampler, table, each)):
        through = _owner_of(sampler, table, column)
        if through is not None:
            return through
        return Line("user_id", column.name, f"named {column.name}")
    # A wallet, whose row says whose it is.
    for name, reference in table.references.items():
        through = _owner_of(sampler, table, table.columns[name])
        if through is not None and set(words.tokens(reference.table)) & (
            words.CREDIT | {"account", "subscription"}
        ):
            return through
    for column in table.columns.values():
        parts = set(words.tokens(column.name))
        if "id" in parts and parts & {"wallet", "balance", "account"}:
            through = _owner_by_values(sampler, table, column)
            if through is not None:
                return through
    if fallbacks:
        return Line(
            "user_id", fallbacks[0].name, f"no id of users, but {fallbacks[0].name}", MEDIUM
        )
    return Line("user_id", None, "no column that names a user was found", LOW)


def _of_users(sampler: Sampler, table: Table, user: Line) -> tuple[Table, str]:
    """The ledger without entries of accounts that are no user's, the other side of each move."""
    if user.expression is None or sampler.is_empty(table):
        return table, ""
    found = sampler.ask(
        f"select count(*), count({user.expression}) from"
        f" (select * from {table.sql} as app_row{sampler.part(table)} limit 20000) as app_row",
        table.label,
    )
    rows, owned = found[0] if found else (0, 0)
    if not owned or owned > 0.8 * rows:
        return table, ""
    query = f"select *\nfrom {table.sql} as app_row\nwhere {user.expression} is not null"
    told = "; only of accounts that have a user, for each move is written on both sides"
    return replace(table, kind="query", query=query), told


def has_balance(sampler: Sampler, table: Table, column: Column) -> bool:
    """Whether a table has one balance for each value of a column of owners."""
    for other in sampler.tables:
        to = table.references.get(column.name)
        leads = to and (to.schema, to.table) == (other.schema, other.name)
        key = to.column if to and leads else column.name
        if other is table or not other.is_readable or not other.is_unique(key):
            continue
        if any(
            each.is_number
            and each.name != key
            and (
                "balance" in words.tokens(each.name)
                or words.best_rank(each.name, words.BALANCE_COLUMNS) is not None
            )
            for each in other.columns.values()
        ) and (leads or set(words.tokens(other.name)) & (words.CREDIT | words.ACCOUNT)):
            return True
    return False


def _is_of_users(column: Column) -> bool:
    return words.best_rank(column.name, words.USER_COLUMNS) is not None


def _owner_of(sampler: Sampler, table: Table, column: Column) -> Line | None:
    """The user of the wallet to which a foreign key leads; None where it leads to a user."""
    reference = table.references.get(column.name)
    other = sampler.table_of(reference) if reference else None
    if reference is None or other is None or column.name not in table.columns:
        return None
    if set(words.tokens(other.name)) & {
        "user",
        "profile",
        "organization",
        "workspace",
        "team",
    } and (not set(words.tokens(other.name)) & {"credit", "wallet", "balance"}):
        return None
    return _owner(table, column, other, reference.column)


def _owner_by_values(sampler: Sampler, table: Table, column: Column) -> Line | None:
    wanted = set(words.tokens(column.name)) - {"id"}
    for other in sampler.tables:
        if not other.is_readable or not wanted & set(words.tokens(other.name)) or not other.key:
            continue
        if (
            other is table
            or sampler.share(sampler.values(table, column.name), other, other.key) < 0.9
        ):
            continue
        return _owner(table, column, other, other.key)
    return None


def _owner(table: Table, column: Column, other: Table, key: str) -> Line | None:
    owner = columns.named(other, words.USER_COLUMNS, lambda each: not each.is_json)
    owner = [each for each in owner if each.name != key]
    if not owner:
        return None
    read = (
        f"(select named.{quoted(owner[0].name)} from {other.sql} as named"
        f" where named.{quoted(key)} = app_row.{quoted(column.name)})"
    )
    reason = f"{column.name} leads to {other.label}, whose {owner[0].name} is the user"
    return Line("user_id", None, reason, MEDIUM, read)


def _amount_line(sampler: Sampler, table: Table, user: Line) -> Line:
    """The amount that raises what users hold where it is positive."""
    line = _own_amount(sampler, table, user)
    if not line.value or not directions.is_spent(sampler, table, user, line.value):
        return line
    reason = f"{line.reason}; what is positive lowers users' balances"
    return Line("credits_used", None, reason, MEDIUM, f"-1 * {quoted(line.value)}")


def _own_amount(sampler: Sampler, table: Table, user: Line) -> Line:
    sides = _sides(table)
    if sides is not None:
        one, other = sides
        read = f"coalesce({quoted(one.name)}, 0) - coalesce({quoted(other.name)}, 0)"
        reason = f"{one.name} gives and {other.name} takes"
        return Line("credits_used", None, reason, MEDIUM, read)
    found = _amounts(sampler, table)
    after = _balance_after(table)
    if len(found) > 1:
        found = sorted(found, key=lambda each: -_moves_balance(sampler, table, each, after))
    column = found[0]
    reason = f"named {column.name}"
    held = None if after else directions.amount(sampler, table, user, _numbers(table))
    if held is not None:
        reason = f"{held} is what users' balances are the sum of"
        return columns.number_line(
            sampler, table, table.columns[held], "credits_used", reason
        ) or Line("credits_used", held, reason)
    if after and _moves_balance(sampler, table, column, after) > 0.5:
        reason += f"; it is what {after.name} moves by"
    elif len(found) > 1:
        return columns.number_line(
            sampler, table, column, "credits_used", f"{reason}, before {found[1].name}", MEDIUM
        ) or Line("credits_used", column.name, reason, MEDIUM)
    return columns.number_line(sampler, table, column, "credits_used", reason) or Line(
        "credits_used", column.name, reason, MEDIUM
    )


def _numbers(table: Table) -> list[str]:
    """The columns of numbers that name no row and are no balance."""
    return [
        column.name
        for column in table.columns.values()
        if column.is_number
        and column.name != table.key
        and column.name not in table.references
        and not {"id", "after", "before", "balance"} & set(words.tokens(column.name))
    ]


def _moves_balance(sampler: Sampler, table: Table, column: Column, after: Column | None) -> float:
    """The share of rows of the sample whose running balance moves by this amount."""
    if after is None or after.name == column.name:
        return 0.0
    hits = asked = 0
    balances = {number(value) for value in sampler.values(table, after.name)}
    for row in sampler.rows(table):
        amount, end = number(row[column.name]), number(row[after.name])
        if amount and end is not None:
            asked += 1
            # Its first row may begin at nothing.
            hits += end - amount in balances or end + abs(amount) in balances or end == amount
    return hits / asked if asked else 0.0


def _kind_line(sampler: Sampler, table: Table, kind: Column | None, amount: Line) -> Line:
    if kind is not None:
        return Line("transaction_type", kind.name, f"named {kind.name}; its values are kinds")
    amounts = _amounts(sampler, table)
    if not _sides(table) and not any(
        value < 0 for column in amounts[:1] for value in sampler.numbers(table, column.name)
    ):
        used = {"usage", "used", "spent", "consumed", "charged", "consumption", "cost", "debit"}
        if used & {*words.tokens(table.name), *words.tokens(amounts[0].name)}:
            reason = "each row is a use of credits, by the names and as no amount is negative"
            return Line("transaction_type", None, reason, MEDIUM, "'usage'")
        called, rows = columns.named(table, words.PROVIDER_COLUMNS), sampler.rows(table)
        if called and rows and all(row[called[0].name] for row in rows):
            reason = f"each row has a {called[0].name}, and no amount is negative: a use of credits"
            return Line("transaction_type", None, reason, MEDIUM, "'usage'")
    value = amount.expression or quoted(amount.value or "")
    read = f"case when {value} < 0 then 'usage' else 'grant' end"
    return Line("transaction_type", None, BY_SIGN, MEDIUM, read)


def _created(sampler: Sampler, table: Table) -> Line:
    for column in columns.created(table):
        line = columns.time_line(sampler, table, column, "created_at", f"named {column.name}")
        if line is not None:
            return line
    found = columns.created(table)
    return Line("created_at", found[0].name, "its values do not say how to read it", LOW)


def references(sampler: Sampler, ledger: Table, tasks: Table) -> list[Reference]:
    """Where the ledger may name a task, the best fit first."""
    keys = [tasks.key or _id(tasks).value or "id"]
    keys = [key for key in keys if key in tasks.columns]
    vendor = [
        column.name
        for column in tasks.columns.values()
        if column.name not in keys
        and (column.is_text or column.type == "uuid")
        and {"id", "uuid", "key", "ref"} & set(words.tokens(column.name))
        and not column.labels
        and words.best_rank(column.name, words.USER_COLUMNS) is None
        and column.name not in tasks.references
        and _is_own(sampler.values(tasks, column.name))
    ]
    found = []
    for source in _reference_sources(sampler, ledger, tasks):
        values = columns.key_values(sampler, ledger, source)
        plain = [value.strip() for value in values if len(value) <= 100 and value.strip()]
        for target in keys + vendor:
            found.append(_fit(sampler, source, plain, None, tasks, target, ""))
        is_free = (
            words.best_rank(source.key or source.column.name, words.EMBEDDED_REFERENCES) is not None
        )
        if is_free and keys and source.column.is_text:
            found += _embedded(sampler, source, values, tasks, keys[0])
    best = [each for each in found if each.share > 0]
    return sorted(
        best, key=lambda each: (-round(each.share, 1), -each.asked, each.target != keys[0])
    )


def _is_own(values: list[str]) -> bool:
    """Whether each row has a value of its own, as an id is and a model's name is not."""
    return len(set(values)) >= 0.95 * len(values)


def _reference_sources(sampler: Sampler, ledger: Table, tasks: Table) -> list[Source]:
    wanted = [
        column.name
        for column in ledger.columns.values()
        if (to := ledger.references.get(column.name))
        and (to.schema, to.table) == (tasks.schema, tasks.name)
    ]
    own = {f"{word}_id" for word in words.tokens(tasks.name)}
    candidates = dict.fromkeys(wanted)
    for column in ledger.columns.values():
        parts = words.tokens(column.name)
        is_named = (
            words.best_rank(column.name, words.REFERENCE_COLUMNS) is not None
            or words.best_rank(column.name, words.EMBEDDED_REFERENCES) is not None
            or words.plain(column.name) in own
            or (len(parts) > 1 and parts[-1] in ("id", "ref", "key", "uuid"))
        )
        is_user = words.best_rank(column.name, words.USER_COLUMNS) is not None
        to = ledger.references.get(column.name)
        leads_elsewhere = to and (to.schema, to.table) != (tasks.schema, tasks.name)
        if leads_elsewhere or set(parts) & NO_TASKS:
            continue
        if is_named and not is_user and not column.is_json and column.name != ledger.key:
            candidates[column.name] = None
    found = [Source(ledger.columns[name]) for name in candidates]
    found += [
        source
        for source in columns.keys(sampler, ledger)
        if {"id", "ref", "uuid", "job", "task", "generation", "reference", "key"}
        & set(words.tokens(source.key or ""))
        and not NO_TASKS & set(words.tokens(source.key or ""))
        and words.best_rank(source.key or "", words.USER_COLUMNS) is None
    ][:20]
    return found


def _fit(
    sampler: Sampler,
    source: Source,
    values: list[str],
    expression: str | None,
    tasks: Table,
    target: str,
    about: str,
) -> Reference:
    asked, found = sampler.matches(values, tasks, target)
    return Reference(source, expression, target, found / asked if asked else 0, asked, about)


def _embedded(
    sampler: Sampler, source: Source, values: list[str], tasks: Table, key: str
) -> list[Reference]:
    """Ids inside a longer text, such as `generation:6f1c…` in an idempotency key."""
    pattern = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    inside = [match[0] for value in values if (match := re.search(pattern, value))]
    found = []
    if inside and any(match != value for match, value in zip(inside, values, strict=False)):
        read = f"substring({source.expression} from '{pattern.replace('(-', '(?:-')}')"
        found.append(_fit(sampler, source, inside, read, tasks, key, "the UUID in it"))
    for mark in (":", "_", "-", "/"):
        prefixes = {value.rpartition(mark)[0] for value in values if mark in value}
        ends = [value.rpartition(mark)[2] for value in values if mark in value]
        if ends and len(prefixes) <= 12 and len(ends) >= 0.5 * len(values):
            read = f"substring({source.expression} from '[^{mark}]*$')"
            found.append(_fit(sampler, source, ends, read, tasks, key, f"what follows its {mark}"))
    return found


def names(sampler: Sampler, ledger: Table, table: Table) -> bool:
    """Whether a column of the ledger leads to a table, is called after it, or says its name.

    Or whether it holds the table's keys, and the table's rows say which model was called and how.
    """
    parts = words.tokens(table.name)
    for column in ledger.columns.values():
        own, to = words.tokens(column.name), ledger.references.get(column.name)
        if not sampler.is_empty(ledger) and not sampler.values(ledger, column.name):
            continue
        if to and (to.schema, to.table) == (table.schema, table.name):
            return True
        if words.best_rank(column.name, words.USER_COLUMNS) is not None:
            continue
        if own[-1:] == ["id"] and (own[-2:-1] == parts[-1:] or own[:1] == parts[-1:]):
            return True
        if column.is_text and own[-1:] in (["type"], ["table"], ["kind"], ["entity"]):
            found = sampler.words(ledger, quoted(column.name)) or ()
            if any(words.tokens(word) == parts for word in found):
                return True
    if any(
        words.tokens(source.key or "")[-2:] == [*parts[-1:], "id"]
        for source in columns.keys(sampler, ledger)
    ):
        return True
    if not table.is_readable or not columns.users(table):
        return False
    best = next(iter(references(sampler, ledger, table)), None)
    if best is None or best.expression:
        return False
    if table.columns[best.target].type not in INTEGERS:
        return best.share >= 0.3
    # Numbers may be those of anything.
    return best.share >= 0.9 and all(
        columns.named(table, each) for each in (words.STATUS_COLUMNS, words.PROVIDER_COLUMNS)
    )


def refer(sampler: Sampler, ledger: Mapped, tasks: Mapped, reference: Reference | None) -> None:
    """Write which task a ledger row names; where it is the vendor's id, the task takes that id."""
    assert ledger.table is not None
    assert tasks.table is not None
    back = _named_by_task(sampler, ledger.table, tasks.table)
    if reference is None:
        if back is not None:
            ledger.replace(back)
        return
    source = reference.source
    percent = f"{reference.share:.0%} of {reference.asked} sampled values are ids of tasks"
    reason = f"{source.label}{', ' + reference.about if reference.about else ''}: {percent}"
    confidence = HIGH if reference.share >= 0.5 else MEDIUM
    expression = reference.expression or (None if source.key is None else source.expression)
    narrowed = _narrowed(sampler, ledger.table, source, tasks.table, reference)
    if narrowed and not reference.expression:
        expression, told = narrowed
        reason += f"; {told}"
    own = expression or quoted(source.column.name)
    if back is not None and _is_needed(sampler, ledger.table, own, back.expression or ""):
        expression = f"coalesce(cast({own} as text), cast({back.expression} as text))"
        reason += f"; {back.reason}"
    value = None if expression else source.column.name
    ledger.replace(Line("api_request_id", value, reason, confidence, expression))
    kind = ledger.line("enhancement_type")
    found = sampler.words(ledger.table, quoted(kind.value)) if kind and kind.value else None
    if found and all(words.tokens(word) == words.tokens(tasks.table.name) for word in found):
        told = f"{kind.value if kind else ''} only says which table; the task's is read"
        ledger.replace(Line("enhancement_type", None, told, MEDIUM))
    key = tasks.line("id")
    if key is not None and key.value and reference.target != key.value:
        name, own = quoted(reference.target), quoted(key.value)
        read = f"coalesce(cast({name} as text), cast({own} as text))"
        about = f"the ledger names {reference.target}; {key.value} where that is null"
        tasks.replace(Line("id", None, about, MEDIUM, read))


def _is_needed(sampler: Sampler, ledger: Table, own: str, back: str) -> bool:
    """Whether tasks name rows of the ledger that name none themselves."""
    found = sampler.ask(
        f"select from {ledger.sql} as app_row where {own} is null and {back} is not null limit 1",
        ledger.label,
    )
    return bool(found)


def refer_alone(sampler: Sampler, ledger: Mapped) -> None:
    """Of an app without tasks: the id by which refunds name the charge that they give back."""
    table, kind = ledger.table, ledger.line("transaction_type")
    if table is None or kind is None or not kind.value:
        return
    rows = [
        row
        for row in sampler.rows(table)
        if kinds.by_name(row[kind.value] or "")[0] == kinds.GENERATION
    ]
    for column in columns.named(table, words.REFERENCE_COLUMNS, lambda each: not each.is_json):
        values = [value for row in rows if (value := row[column.name])]
        is_filled = bool(rows) and len(values) >= 0.5 * len(rows)
        if column.name != table.key and is_filled and _is_own(values):
            reason = (
                f"{column.name}: {len(set(values))} of {len(rows)} sampled charges have their own"
            )
            ledger.replace(Line("api_request_id", column.name, reason, MEDIUM))
            return


def is_narrowed(sampler: Sampler, ledger: Table, tasks: Table, reference: Reference) -> bool:
    """Whether a column beside the reference says that it names such a task."""
    return _narrowed(sampler, ledger, reference.source, tasks, reference) is not None


def _narrowed(
    sampler: Sampler, ledger: Table, source: Source, tasks: Table, reference: Reference
) -> tuple[str, str] | None:
    """A condition, where a column beside the reference says of what kind its target is."""
    if source.key is not None:
        return None
    stem = words.plain(source.column.name).removesuffix("_id")
    beside = columns.named(
        ledger, [f"{stem}_type", f"{stem}_kind", f"{stem}_table"], lambda each: each.is_text
    )
    found = sampler.words(ledger, quoted(beside[0].name)) if beside else None
    if not found:
        return None
    rows = sampler.rows(ledger)
    kept: list[str] = []
    dropped: list[str] = []
    for value in found:
        ids = [
            row[source.column.name] or ""
            for row in rows
            if (row[beside[0].name] or "").strip() == value and row[source.column.name]
        ]
        if not ids:
            continue
        is_task = sampler.share(ids, tasks, reference.target) >= 0.2
        (kept if is_task else dropped).append(value)
    # Whole numbers may be those of an order too.
    name = words.tokens(tasks.name)
    own = [value for value in kept if words.tokens(value) == name] or [
        value for value in kept if set(words.tokens(value)) & set(name)
    ]
    if own and tasks.columns[reference.target].type in INTEGERS:
        dropped += [value for value in kept if value not in own]
        kept = own
    if not kept or not dropped:
        return None
    listed = ", ".join(literal(value) for value in sorted(kept))
    read = quoted(beside[0].name)
    held = f"cast({read} as text)" if beside[0].labels else read
    test = f"{held} = {listed}" if len(kept) == 1 else f"{held} in ({listed})"
    read = f"case when {test} then {source.expression} end"
    return read, f"only where {beside[0].name} says so"


def _named_by_task(sampler: Sampler, ledger: Table, tasks: Table) -> Line | None:
    """A task that names its ledger row."""
    if not ledger.key:
        return None
    key = tasks.key or "id"
    for column in tasks.columns.values():
        parts = set(words.tokens(column.name))
        reference = tasks.references.get(column.name)
        is_named = bool(parts & {"transaction", "ledger", "charge", "tx", "txn"})
        leads = reference is not None and (reference.schema, reference.table) == (
            ledger.schema,
            ledger.name,
        )
        if not (is_named or leads) or column.is_json:
            continue
        if sampler.share(sampler.values(tasks, column.name), ledger, ledger.key) >= 0.5:
            read = (
                f"(select named.{quoted(key)} from {tasks.sql} as named"
                f" where named.{quoted(column.name)} = app_row.{quoted(ledger.key)} limit 1)"
            )
            slow = "" if column.name in tasks.indexed else ", which should have an index"
            reason = f"{tasks.label}.{column.name} names the ledger's row{slow}"
            return Line("api_request_id", None, reason, MEDIUM, read)
    return None


def kinds_of(
    sampler: Sampler, ledger: Mapped, tasks: Mapped | None, reference: Reference | None
) -> tuple[list[ValueRow], list[str], bool]:
    """The kinds of rows, what could not be told of them, and whether amounts have a sign."""
    table = ledger.table
    kind, amount = ledger.line("transaction_type"), ledger.line("credits_used")
    if table is None or kind is None or amount is None:
        return [], [], True
    value = amount.expression or quoted(amount.value or "")
    refers = ledger.line("api_request_id")
    named = (refers.expression or quoted(refers.value or "")) if refers else ""
    named = "" if refers is None or refers.shown == "null" else named
    if kind.reason == BY_SIGN and named:
        read = (
            f"case when {value} < 0 then 'usage' when {named} is not null then 'refund'"
            " else 'grant' end"
        )
        reason = "no column says what a row is: its sign and whether it names a task do"
        kind = Line("transaction_type", None, reason, MEDIUM, read)
        ledger.replace(kind)
    expression = kind.expression or quoted(kind.value or "")
    grouped = sampler.grouped(
        table,
        expression,
        f"count(*) filter (where {value} < 0), count(*) filter (where {value} > 0),"
        f" count({named or 'null'})",
    )
    moves = _moves(sampler, table, ledger, expression, value) or directions.by_balances(
        sampler, ledger, expression, value
    )
    called = set(words.tokens(amount.value or ""))
    is_cost = bool(called & (set(COSTS) - {"used"})) and not any(each[2] for each in grouped)
    facts = {
        str(each[0]): kinds.Facts(
            each[1],
            each[2],
            each[3],
            each[4],
            _found(sampler, ledger, tasks, reference, str(each[0])) if each[4] else 0.0,
            moves.get(str(each[0]), (0, 0)),
            is_cost,
        )
        for each in grouped
        if each[0]
    }
    facts = {word: found for word, found in facts.items() if len(word) <= 60}
    is_signed = signed(facts)
    work = {
        word
        for word, found in facts.items()
        if found.found >= 0.2
        and (
            kinds.by_name(word)[0] in (kinds.GENERATION, None)
            or (is_signed and found.negative and not found.positive)
        )
    }
    verdicts = {
        word: kinds.judge(word, found, is_signed, bool(work - {word}))
        for word, found in facts.items()
    }
    verdicts = kinds.settled(verdicts, facts)
    _split(sampler, ledger, verdicts, facts, value, named, is_signed)
    for label in table.columns[kind.value].labels if kind.value else ():
        if label not in verdicts and kinds.by_name(label)[0]:
            unseen = kinds.judge(label, kinds.Facts(0, 0, 0, 0, 0), is_signed, False)
            verdicts[label] = kinds.Verdict(
                unseen.kind, "by its name; no row has it yet", MEDIUM, unseen.is_bought
            )
    rows, untold = [], []
    if kind.reason == BY_SIGN and not any(found.negative for found in facts.values()):
        untold.append(
            f"{table.label} has no column of kinds and no negative amount: each row is read as a"
            " grant; if rows are what users spent, write under transaction_type:"
            " {expression: \"'usage'\"}."
        )
    for word, verdict in verdicts.items():
        if verdict.kind is None:
            untold.append(
                f"{table.label}: rows of kind {word} ({facts[word].rows:,}) are rejected as"
                f" unknown_transaction_type, for {verdict.reason}; write what they are under"
                " transaction_kinds."
            )
            continue
        row: dict[str, Any] = {
            "transaction_type": word.lower(),
            "transaction_kind": verdict.kind,
        }
        if verdict.is_bought:
            row["is_bought"] = True
        rows.append(ValueRow(row, verdict.reason, verdict.confidence))
    return _one_each(rows, "transaction_type"), untold, is_signed


def _one_each(rows: list[ValueRow], key: str) -> list[ValueRow]:
    """The first row of each key: spellings that differ in case are one."""
    found: dict[str, ValueRow] = {}
    for row in rows:
        found.setdefault(str(row.row[key]).strip(), row)
    return list(found.values())


def signed(facts: dict[str, kinds.Facts]) -> bool:
    """Whether an amount's sign says what a row does, as charges show."""
    charges = [
        found
        for word, found in facts.items()
        if kinds.by_name(word)[0] in (kinds.GENERATION, kinds.OTHER, kinds.HELD)
    ]
    negative = sum(found.negative for found in charges)
    positive = sum(found.positive for found in charges)
    if negative or positive:
        return negative >= positive
    return any(found.negative and not found.positive for found in facts.values())


def _split(
    sampler: Sampler,
    ledger: Mapped,
    verdicts: dict[str, kinds.Verdict],
    facts: dict[str, kinds.Facts],
    value: str,
    named: str,
    is_signed: bool,
) -> None:
    """Tell apart what one word stands for: charges given back, and credits for a task."""
    line = ledger.line("transaction_type")
    if line is None or line.expression:
        return
    name = quoted(line.value or "")
    column = ledger.table.columns[line.value or ""] if ledger.table else None
    held = f"cast({name} as text)" if column and column.labels else name
    parts = []
    for word, found in list(facts.items()):
        verdict = verdicts[word]
        generic = set(words.tokens(word)) <= words.GENERIC
        if verdict.kind == kinds.GENERATION and is_signed and found.positive and found.negative:
            parts.append(f"when {held} = {literal(word)} and {value} > 0 then 'refund'")
        elif (
            verdict.kind == kinds.GRANTED
            and named
            and found.found >= 0.2
            and (generic or word in _given_back(sampler, ledger, verdicts, value, named))
        ):
            parts.append(f"when {held} = {literal(word)} and {named} is not null then 'refund'")
    if not parts:
        return
    read = f"case {' '.join(parts)} else {held} end"
    reason = f"{line.reason}; those that give credits back are refunds"
    ledger.replace(Line("transaction_type", None, reason, MEDIUM, read))
    verdicts.setdefault("refund", kinds.Verdict(kinds.REFUNDED, "told apart above", MEDIUM))
    facts.setdefault("refund", kinds.Facts(0, 0, 0, 0, 0))


def _given_back(
    sampler: Sampler, ledger: Mapped, verdicts: dict[str, kinds.Verdict], value: str, named: str
) -> set[str]:
    """The kinds whose rows that name a task give back what was charged for it."""
    kind = ledger.line("transaction_type")
    assert ledger.table is not None
    assert kind is not None
    charged = [
        literal(word) for word, each in verdicts.items() if each.kind == kinds.GENERATION
    ] or ["null"]
    found = sampler.ask(
        f"with named as (select cast({named} as text) as task, abs({value}) as amount,"
        f" btrim(cast({quoted(kind.value or '')} as text)) as kind"
        f" from (select * from {ledger.table.sql} as app_row limit {MOVE_ROWS}) as app_row)"
        " select kind, count(*), count(*) filter (where exists (select from named as charge"
        f" where charge.kind in ({', '.join(charged)}) and charge.task = named.task"
        " and charge.amount = named.amount)) from named where task is not null group by kind",
        ledger.table.label,
    )
    return {str(word) for word, asked, back in found or [] if 2 * back >= asked}


def _found(
    sampler: Sampler,
    ledger: Mapped,
    tasks: Mapped | None,
    reference: Reference | None,
    word: str,
) -> float:
    """The share of sampled references of one kind that are tasks' ids."""
    kind = ledger.line("transaction_type")
    if tasks is None or tasks.table is None or ledger.table is None or kind is None:
        return 0.0
    if reference is None:
        return 0.5
    if not kind.value:
        return 0.0
    values = []
    for row in sampler.rows(ledger.table):
        if (row[kind.value] or "").strip() != word:
            continue
        value = row[reference.source.column.name]
        if reference.source.key is not None:
            inner = json_object(value).get(reference.source.key)
            value = None if inner is None else str(inner)
        if value and reference.expression:
            match = re.search("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value)
            value = match[0] if match else re.split("[:_/-]", value)[-1]
        if value:
            values.append(value.strip())
    return sampler.share(values, tasks.table, reference.target)


def _moves(
    sampler: Sampler, table: Table, ledger: Mapped, expression: str, value: str
) -> dict[str, tuple[int, int]]:
    """By the running balance, which way rows of each kind move it."""
    after, user, when = _balance_after(table), ledger.line("user_id"), ledger.line("created_at")
    if after is None or user is None or when is None or not user.value:
        return {}
    key = ledger.line("id")
    order = f"{when.expression or quoted(when.value or '')}"
    order += f", {quoted(key.value)}" if key and key.value else ""
    found = sampler.ask(
        f"select cast({quoted(user.value)} as text), btrim(cast({expression} as text)),"
        f" cast({value} as numeric), cast({quoted(after.name)} as numeric)"
        f" from {table.sql} where {quoted(user.value)} in"
        f" (select {quoted(user.value)} from {table.sql} limit 500)"
        f" order by 1, {order} limit {MOVE_ROWS}",
        table.label,
    )
    rows = [
        (str(row[0]), str(row[1]), Decimal(row[2]), Decimal(row[3]))
        for row in found or []
        if None not in row
    ]
    return kinds.balance_moves(rows)
