"""Which way rows move credits, told by the balances that they must add up to."""

from collections import Counter
from decimal import Decimal
from itertools import product

from inspect_app import columns
from inspect_app.catalogue import Table, quoted
from inspect_app.proposal import Line, Mapped
from inspect_app.samples import Sampler, number

MOST_KINDS = 6
USERS = 200
FEW = 5
ENOUGH = 0.6

Sums = dict[str, dict[str, Decimal]]
"""What rows of each kind add up to, for each user."""
Moves = dict[str, tuple[int, int]]


def by_balances(sampler: Sampler, ledger: Mapped, expression: str, value: str) -> Moves:
    """For how many users rows of each kind lower their balances, and for how many they raise them.

    Every way to add or subtract the sums of kinds is compared with the columns of tables that have
    a row for each user. A way fits where it leaves the same rest for most users: what all of them
    had before their first row.
    """
    user = ledger.line("user_id")
    if ledger.table is None or user is None or user.shown == "null":
        return {}
    key = (ledger.table.label, expression, value, user.shown)
    if key not in sampler.directions:
        sampler.directions[key] = _solve(sampler, ledger.table, _sums(sampler, ledger, *key[1:3]))
    found: Moves = sampler.directions[key]
    return found


def amount(sampler: Sampler, ledger: Table, user: Line, names: list[str]) -> str | None:
    """The signed column whose sums are users' balances, if there are several signed ones."""
    signed = [name for name in names if any(each < 0 for each in sampler.numbers(ledger, name))]
    shares = _fits(sampler, ledger, user, signed) if len(signed) > 1 else {}
    best = max(signed, key=lambda name: max(shares.get(name, (0.0, 0.0))), default=None)
    return best if best is not None and max(shares.get(best, (0.0, 0.0))) >= ENOUGH else None


def is_spent(sampler: Sampler, ledger: Table, user: Line, name: str) -> bool:
    """Whether users' balances say that positive amounts are spent, and negative ones given."""
    if not any(each < 0 for each in sampler.numbers(ledger, name)):
        return False
    given, spent = _fits(sampler, ledger, user, [name]).get(name, (0.0, 0.0))
    return spent >= ENOUGH > given


def _fits(
    sampler: Sampler, ledger: Table, user: Line, names: list[str]
) -> dict[str, tuple[float, float]]:
    """The shares of users whose balance rises, and whose balance falls, by the sum of a column."""
    if not names or user.shown == "null" or sampler.is_empty(ledger):
        return {}
    sums = ", ".join(f"sum({quoted(name)})" for name in names)
    read = user.expression or quoted(user.value or "")
    found = sampler.ask(
        f"select btrim(cast({read} as text)), {sums} from {ledger.sql} as app_row"
        " group by 1 limit 50000",
        ledger.label,
    )
    rows = {owner: each for owner, *each in found or [] if owner and None not in each}
    shares: dict[str, tuple[float, float]] = {}
    for held in _held(sampler, ledger, set(rows)):
        users = sorted(set(held) & set(rows))[:USERS]
        for place, name in enumerate(names):
            values = [Decimal(rows[each][place]) for each in users]
            if len(users) < FEW or len(set(values)) < FEW:
                continue
            pairs = list(zip(users, values, strict=True))
            own = [_share([held[u] - sign * value for u, value in pairs]) for sign in (1, -1)]
            given, spent = shares.get(name, (0.0, 0.0))
            shares[name] = (max(given, own[0]), max(spent, own[1]))
    return shares


def _sums(sampler: Sampler, ledger: Mapped, expression: str, value: str) -> Sums:
    user = ledger.line("user_id")
    assert user is not None
    assert ledger.table is not None
    read = user.expression or quoted(user.value or "")
    found = sampler.ask(
        f"select btrim(cast({read} as text)), btrim(cast({expression} as text)),"
        f" sum(cast({value} as numeric)), bool_or({value} < 0)"
        f" from {ledger.table.sql} as app_row group by 1, 2 limit 50000",
        ledger.table.label,
    )
    sums: Sums = {}
    for owner, kind, total, is_signed in found or []:
        if is_signed:
            return {}
        if owner and kind and total is not None:
            sums.setdefault(owner, {})[kind] = Decimal(total)
    return sums


def _solve(sampler: Sampler, ledger: Table, sums: Sums) -> Moves:
    asked = Counter(kind for each in sums.values() for kind in each)
    kinds = [kind for kind, _ in asked.most_common()]
    if not 1 < len(kinds) <= MOST_KINDS:
        return {}
    best: tuple[float, tuple[int, ...]] = (0.0, ())
    shares: dict[tuple[int, ...], float] = {}
    for held in _held(sampler, ledger, set(sums)):
        users = sorted(set(held) & set(sums))[:USERS]
        if len(users) < FEW or len({held[each] for each in users}) < FEW:
            continue
        own = {
            signs: _share(
                [
                    held[each]
                    - sum(
                        sign * sums[each].get(kind, Decimal(0))
                        for sign, kind in zip(signs, kinds, strict=True)
                    )
                    for each in users
                ]
            )
            for signs in product((1, -1), repeat=len(kinds))
        }
        top = max(own, key=lambda signs: own[signs])
        if own[top] > best[0]:
            best, shares = (own[top], top), own
    share, signs = best
    if share < ENOUGH:
        return {}
    moves = {}
    for place, (sign, kind) in enumerate(zip(signs, kinds, strict=True)):
        other = (*signs[:place], -sign, *signs[place + 1 :])
        if shares[other] < share:
            moves[kind] = (asked[kind], 0) if sign < 0 else (0, asked[kind])
    return moves


def _share(rest: list[Decimal]) -> float:
    """The share of users for whom the same is left."""
    return Counter(rest).most_common(1)[0][1] / len(rest)


def _held(sampler: Sampler, ledger: Table, users: set[str]) -> list[dict[str, Decimal]]:
    """The columns of numbers, by user, of tables that have one row for each of these users."""
    found = []
    for table in sampler.tables:
        if table is ledger or not table.is_readable or table.kind == "view":
            continue
        for owner in dict.fromkeys([*table.unique_columns, *columns.users(table)]):
            owners = sampler.values(table, owner.name)
            if len(set(owners)) < len(owners) or 2 * len(users & set(owners)) < len(owners):
                continue
            for column in table.columns.values():
                if column.is_number and column != owner:
                    rows = (
                        (row[owner.name], number(row[column.name])) for row in sampler.rows(table)
                    )
                    found.append({str(one): other for one, other in rows if other is not None})
            break
    return found
