"""The balances: which table keeps them, and in which columns."""

import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import combinations

from inspect_app import columns, words
from inspect_app.catalogue import Column, Table, quoted
from inspect_app.proposal import BALANCES, HIGH, LOW, MEDIUM, Line, Mapped
from inspect_app.samples import Row, Sampler, number

ENOUGH = 6.0
PROVEN = 0.6
FEW, MANY = 3, 5

Balance = tuple[str, Callable[[Row], Decimal | None]]


def score(
    sampler: Sampler,
    table: Table,
    users: list[str],
    by_ledger: dict[str, Decimal],
    by_catalogue: bool = False,
) -> float:
    """How much a table looks like the balances of users."""
    parts = set(words.tokens(table.name))
    points = 0.0
    if parts & words.CREDIT:
        points += 4
    elif parts & (words.ACCOUNT | {"subscription", "membership"}):
        points += 2
    if parts & {"wallet", "balance"}:
        points += 1
    points -= 5.0 * len(parts & (words.LEDGER - {"usage"}))
    points -= 4.0 * len(parts & (words.NO_LEDGER - {"subscription"}))
    points -= 2 if table.kind in ("view", "materialized view") else 0
    amounts = candidates(sampler, table, by_catalogue)
    sums = proven(sampler, table, users, by_ledger) if table.is_readable else []
    if sums:
        points = max(points, ENOUGH - 2)
        amounts = amounts or sums
    if points <= 0 or not amounts:
        return 0.0
    user = user_column(sampler, table, users)
    if user is None:
        return 0.0
    points += 2 if words.best_rank(amounts[0].name, words.BALANCE_COLUMNS) is not None else 1
    points += 2 if table.is_unique(user.name) else 0
    # A balance is of no kind, and is not paid.
    marks = {"currency", "type", "payment", "transaction"}
    points -= 2 if marks & {part for name in table.columns for part in words.tokens(name)} else 0
    if by_catalogue or sampler.is_empty(table):
        return points
    values = sampler.values(table, user.name)
    points += 0 if len(set(values)) == len(values) else -4
    if users:
        shared = len(set(users) & set(values)) / min(len(set(users)), len(set(values)) or 1)
        # If no balance belongs to a user of the ledger, they are others', such as guests'.
        points += 3 * shared if shared else -3
    agreeing = _agreement(sampler, table, user, by_ledger, [each.name for each in amounts])
    return points + 3 * max(agreeing.values(), default=0.0)


def proven(
    sampler: Sampler, table: Table, users: list[str], by_ledger: dict[str, Decimal]
) -> list[Column]:
    """The columns of which most are what the ledger adds up to, whatever their names."""
    user = user_column(sampler, table, users) if users and by_ledger else None
    if user is None or user.is_json:
        return []
    owners = sampler.values(table, user.name)
    if len(set(owners)) < len(owners):
        return []
    numbers = [each for each in table.columns.values() if each.is_number and each != user]
    own = {owner: each for owner, each in by_ledger.items() if each}
    agreeing = _agreement(sampler, table, user, own, [each.name for each in numbers])
    asked = len(set(owners) & set(own))
    found = [each for each in numbers if agreeing[each.name] >= PROVEN and asked >= FEW]
    return sorted(found, key=lambda each: -agreeing[each.name])


def siblings(
    sampler: Sampler, of_ledger: Mapped, best: Table, others: list[Table], users: list[str]
) -> list[Table]:
    """The table and those with balances of further owners, such as teams, whom the ledger names."""
    kept: list[Table] = []
    seen: set[str] = set()
    for table in [best, *others]:
        owner = user_column(sampler, table, users)
        owners = set(sampler.values(table, owner.name)) if owner else set()
        is_named = len(owners & set(users)) >= 0.5 * len(owners) or _in(sampler, of_ledger, owners)
        if not kept or (owners and not owners & seen and is_named):
            kept.append(table)
            seen |= owners
    return kept


def _in(sampler: Sampler, of_ledger: Mapped, owners: set[str]) -> bool:
    """Whether most of some owners are in the ledger, of which a part alone was read."""
    user = of_ledger.line("user_id")
    if of_ledger.table is None or user is None or not user.value:
        return False
    return sampler.share(owners, of_ledger.table, user.value) >= 0.5


def candidates(sampler: Sampler, table: Table, by_catalogue: bool = False) -> list[Column]:
    """The columns that may hold a balance, those that are named so first."""

    def is_number(column: Column) -> bool:
        if by_catalogue and column.is_text:
            return words.best_rank(column.name, words.BALANCE_COLUMNS[:5]) is not None
        return columns.is_number_like(sampler, table, column)

    found = columns.named(table, words.BALANCE_COLUMNS, is_number)
    for column in table.columns.values():
        parts = set(words.tokens(column.name))
        if (
            column.is_number
            and parts & words.BALANCE_WORDS
            and not parts & words.NO_BALANCE
            and column not in found
        ):
            found.append(column)
    if found or (found := _buckets(table)):
        return found
    # What was given, less what was used.
    credits = [
        column
        for column in table.columns.values()
        if column.is_number and (words.CREDIT | words.USED) & set(words.tokens(column.name))
    ]
    given = [each for each in credits if _is_given(each)]
    return credits if len(given) > 1 or _difference(credits) else []


def user_column(sampler: Sampler, table: Table, users: list[str]) -> Column | None:
    """The column of the user: that whose values the ledger names, else by its name."""
    own = columns.users(table)
    is_of_users = bool(set(words.tokens(table.name)) & words.ACCOUNT)
    keys = [table.columns[table.key]] if table.key and table.key in table.columns else []
    ordered = [*own, *(keys if is_of_users or not own else [])]
    if users:
        wanted = set(users)
        # The user may be named by another key of the table too, such as `uuid` beside `id`.
        shared = [
            (len(wanted & set(sampler.values(table, column.name))), column)
            for column in dict.fromkeys([*ordered, *table.unique_columns])
        ]
        best = max(shared, key=lambda each: each[0], default=(0, None))
        if best[0]:
            return best[1]
    named = [column for column in own if column.name != table.key or not is_of_users]
    return next(iter(named or ordered), None)


def propose(
    sampler: Sampler,
    table: Table,
    reason: str,
    confidence: str,
    users: list[str],
    by_ledger: dict[str, Decimal],
) -> Mapped:
    """The columns of the balances; `by_ledger` has the ledger's sum of some users."""
    mapped = Mapped(BALANCES, table, reason, confidence)
    user = user_column(sampler, table, users)
    assert user is not None
    told = f"named {user.name}"
    if users and set(users) & set(sampler.values(table, user.name)):
        told = f"{user.name} holds the users of the ledger"
    mapped.lines.append(Line("user_id", user.name, told))
    mapped.lines.append(_balance(sampler, table, user, by_ledger))
    taken = {user.name, mapped.lines[-1].value or ""}
    mapped.lines.append(_tier(sampler, table, user, taken))
    for ours, synonyms in (
        ("consumed_this_month", words.CONSUMED_COLUMNS),
        ("monthly_allowance", words.ALLOWANCE_COLUMNS),
    ):
        line = columns.optional_number(sampler, table, ours, synonyms)
        if line is not None and line.value not in taken:
            mapped.lines.append(line)
        elif ours in table.columns:
            mapped.lines.append(Line(ours, None, "its values are no numbers", LOW))
    for column in columns.named(table, words.UPDATED_COLUMNS, columns.is_time_like):
        line = columns.time_line(sampler, table, column, "updated_at", f"named {column.name}")
        if line is not None:
            mapped.lines.append(line)
            break
    else:
        if "updated_at" in table.columns:
            mapped.lines.append(Line("updated_at", None, "its values do not say how to read it"))
    return mapped


def _balance(sampler: Sampler, table: Table, user: Column, by_ledger: dict[str, Decimal]) -> Line:
    forms: list[tuple[str, Line]] = []
    for column in candidates(sampler, table):
        line = columns.number_line(
            sampler, table, column, "current_balance", f"named {column.name}"
        )
        if line is not None:
            forms.append((column.name, line))
    forms += [
        (each.name, Line("current_balance", each.name, f"named {each.name}", MEDIUM))
        for each in proven(sampler, table, list(by_ledger), by_ledger)
        if each.name not in dict(forms)
    ]
    numbers = [
        column
        for column in table.columns.values()
        if column.is_number
        and set(words.tokens(column.name)) & (words.CREDIT | {"used", "spent", "granted"})
        and column.name != user.name
    ]
    for one, other in combinations(numbers[:8], 2):
        for sign, told in (("+", "and"), ("-", "less")):
            for left, right in ((one, other), (other, one))[: 1 if sign == "+" else 2]:
                read = f"coalesce({quoted(left.name)}, 0) {sign} coalesce({quoted(right.name)}, 0)"
                line = Line(
                    "current_balance", None, f"{left.name} {told} {right.name}", MEDIUM, read
                )
                forms.append((f"{left.name}{sign}{right.name}", line))
    agreeing = _agreement(sampler, table, user, by_ledger, [name for name, _ in forms])
    best = max(
        range(len(forms)),
        key=lambda place: (round(agreeing[forms[place][0]], 1), -place),
        default=None,
    )
    if best is None:
        return Line("current_balance", None, "no column of a balance was found", LOW)
    share = agreeing[forms[best][0]]
    line = forms[best][1]
    buckets = _buckets(table)
    if not share and buckets and not columns.named(table, words.BALANCE_COLUMNS):
        read = " + ".join(f"coalesce({quoted(each.name)}, 0)" for each in buckets)
        told = " and ".join(each.name for each in buckets)
        line = Line(
            "current_balance", None, f"{told}, each kind of credits by itself", MEDIUM, read
        )
    elif not share and not columns.named(table, words.BALANCE_COLUMNS):
        line = _difference(numbers) or line
    told = f"; {share:.0%} of compared balances are the ledger's sums" if by_ledger else ""
    certain = HIGH if share >= 0.5 or (not by_ledger and line.value) else MEDIUM
    return Line("current_balance", line.value, line.reason + told, certain, line.expression)


def _buckets(table: Table) -> list[Column]:
    """The columns of credits that are kept apart by where they come from, if there are several."""
    found = [
        column
        for column in table.columns.values()
        if column.is_number
        and (parts := set(words.tokens(column.name))) & words.BUCKET
        and parts & words.CREDIT
        and parts <= words.BUCKET | words.CREDIT
    ]
    return found if len(found) > 1 else []


def _difference(numbers: list[Column]) -> Line | None:
    """What was given less what was used, by the names."""
    for given in numbers:
        for used in numbers:
            if set(words.tokens(used.name)) & words.USED and _is_given(given):
                read = f"coalesce({quoted(given.name)}, 0) - coalesce({quoted(used.name)}, 0)"
                told = f"{given.name} less {used.name}"
                return Line("current_balance", None, told, MEDIUM, read)
    return None


def _is_given(column: Column) -> bool:
    parts = set(words.tokens(column.name))
    return bool(parts & words.GIVEN) and not parts & words.USED


def _agreement(
    sampler: Sampler,
    table: Table,
    user: Column,
    by_ledger: dict[str, Decimal],
    names: list[str],
) -> dict[str, float]:
    """For each way to read a balance, the share of users whose ledger adds up to it."""
    hits: Counter[str] = Counter()
    asked = 0
    for row in sampler.rows(table):
        expected = by_ledger.get((row[user.name] or "").strip())
        if expected is None:
            continue
        asked += 1
        for name in names:
            hits[name] += _value(row, name) == expected
    return {name: hits[name] / asked if asked else 0.0 for name in names}


def agreement(sampler: Sampler, mapped: Mapped, by_ledger: dict[str, Decimal]) -> float:
    """The share of some users whose balance, in a column of its own, is what is told of them.

    Of enough users each may have the same more, which no row tells.
    """
    user, balance = mapped.line("user_id"), mapped.line("current_balance")
    if mapped.table is None or not user or not balance or not user.value or not balance.value:
        return 0.0
    column = mapped.table.columns[user.value]
    own = _agreement(sampler, mapped.table, column, by_ledger, [balance.value])[balance.value]
    rest = [
        (held - told, told)
        for row in sampler.rows(mapped.table)
        if (held := number(row[balance.value])) is not None
        and (told := by_ledger.get(row[user.value] or "")) is not None
    ]
    if len(rest) < MANY or len({told for _, told in rest}) < FEW:
        return own
    return max(own, Counter(more for more, _ in rest).most_common(1)[0][1] / len(rest))


def used(sampler: Sampler, mapped: Mapped, by_tasks: dict[str, Decimal]) -> float:
    """The share of some users of whom a column beside the balance has what their tasks took."""
    user = mapped.line("user_id")
    if mapped.table is None or not user or not user.value or len(by_tasks) < FEW:
        return 0.0
    column = mapped.table.columns[user.value]
    names = [each.name for each in mapped.table.columns.values() if each.is_number]
    found = _agreement(sampler, mapped.table, column, by_tasks, names)
    return max(found.values(), default=0.0)


def default(mapped: Mapped) -> Decimal:
    """What a new balance begins with."""
    line = mapped.line("current_balance")
    column = mapped.table.columns.get(line.value or "") if mapped.table and line else None
    found = re.match(r"'?([0-9.]+)", column.default) if column else None
    return Decimal(found[1]) if found else Decimal(0)


def _value(row: Row, name: str) -> Decimal | None:
    if name in row:
        return number(row[name])
    for sign in ("+", "-"):
        one, mark, other = name.partition(sign)
        if mark and one in row and other in row:
            left, right = number(row[one]) or Decimal(0), number(row[other]) or Decimal(0)
            return left + right if sign == "+" else left - right
    return None


def _tier(sampler: Sampler, table: Table, user: Column, taken: set[str]) -> Line:
    lacking = "no column of a plan was found"
    line = columns.word_line(
        sampler, table, "subscription_tier", words.TIER_COLUMNS, taken, lacking
    )
    if line.shown != "null":
        return line
    return _tier_elsewhere(sampler, table, user) or line


def _tier_elsewhere(sampler: Sampler, table: Table, user: Column) -> Line | None:
    """The plan in the user's profile or running subscription."""
    users = sampler.values(table, user.name)
    ranked = []
    for other in sampler.tables:
        parts = set(words.tokens(other.name))
        if (
            other is table
            or not other.is_readable
            or not parts & (words.ACCOUNT | {"subscription", "membership"})
        ):
            continue
        if parts & (words.LEDGER | {"plan", "history", "event", "credit"}):
            continue
        owner = user_column(sampler, other, users)
        if owner is None or not users or not set(users) & set(sampler.values(other, owner.name)):
            continue
        for column in columns.named(other, words.TIER_COLUMNS):
            ranked.append(("subscription" not in parts, other, owner, column))
    for _, other, owner, column in sorted(ranked, key=lambda each: each[0]):
        line = _through(sampler, other, owner, column, user)
        if line is not None:
            return line
    return None


def _through(
    sampler: Sampler, other: Table, owner: Column, column: Column, user: Column
) -> Line | None:
    place = columns.Source(column)
    word, source = f"named.{quoted(column.name)}", other.sql + " as named"
    joined = columns.joined_line(sampler, other, column, "subscription_tier")
    if joined is not None and joined.expression is not None:
        word = joined.expression.replace("as named", "as plan").replace("named.", "plan.")
        word = word.replace("app_row.", "named.")
    elif column.is_text and columns.is_vocabulary(sampler, other, place):
        word = f"cast({word} as text)" if column.labels else word
    else:
        return None
    outer = f"app_row.{quoted(user.name)}"
    same = f"named.{quoted(owner.name)} = {outer}"
    here, there = owner.type, user.type
    if here != there:
        same = f"cast(named.{quoted(owner.name)} as text) = cast({outer} as text)"
    reason = f"{column.name} of {other.label}"
    if other.is_unique(owner.name):
        read = f"(select {word} from {source} where {same})"
        return Line("subscription_tier", None, reason, MEDIUM, read)
    status = next(iter(columns.named(other, words.STATUS_COLUMNS)), None)
    order = next(iter(columns.created(other)), None)
    if status is not None:
        held = f"cast(named.{quoted(status.name)} as text)"
        same += f" and lower({held}) in ('active', 'trialing')"
        reason += ", of a subscription that runs"
    by = f" order by named.{quoted(order.name)} desc" if order else " order by 1"
    read = f"(select {word} from {source} where {same}{by} limit 1)"
    return Line("subscription_tier", None, reason, MEDIUM, read)
