"""Credits sold and unused, lot by lot: each month's use is taken from a queue of lots."""

from collections import defaultdict, deque
from datetime import date, timedelta
from decimal import Decimal

from tests.oracle.cleaning import Options, Row
from tests.oracle.generations import History
from tests.oracle.rounding import rounded

GIVEN = {"grant": "granted", "adjustment": "adjusted"}
OTHERS = ("other_charge", "hold", "release")
ZERO = Decimal(0)


def credit_lots_by_month(history: History, options: Options) -> list[Row]:
    """One row per bought lot and month from its own to that of `as_of`."""
    lots, taken = _accounts(history, options)
    rows = []
    for account, own in lots.items():
        if not any(is_bought for _, is_bought, _ in own):
            continue
        first = min(day for day, is_bought, _ in own if is_bought).replace(day=1)
        for month in _months(first, options.month(options.as_of)):
            used = sum((each for when, each in taken[account] if when <= month), ZERO)
            queue = deque(sorted(own))
            while queue:
                day, is_bought, size = queue.popleft()
                left = max(ZERO, min(size, size - used))
                used -= size
                if is_bought and day.replace(day=1) <= month:
                    rows.append(
                        {
                            "month_start": month,
                            "user_id": account,
                            "bought_date": day,
                            "credits_bought": size,
                            "credits_left": left,
                            "is_broken": _is_broken(day, month, options),
                        }
                    )
    return rows


def monthly_finance(history: History, options: Options) -> list[Row]:
    """One row per month from the first generation's or purchase's to that of `as_of`."""
    from tests.oracle.marts import monthly_cost

    lots = credit_lots_by_month(history, options)
    costs = {row["month_start"]: row for row in monthly_cost(history, options)}
    price = options.credit_price_usd
    before = dict.fromkeys(("used", "broken", "deferred"), ZERO)
    rows = []
    for month in sorted(costs.keys() | {lot["month_start"] for lot in lots}):
        own = [lot for lot in lots if lot["month_start"] == month]
        sold = sum((x["credits_bought"] for x in own if _month(x["bought_date"]) == month), ZERO)
        now = {
            "used": sum((lot["credits_bought"] - lot["credits_left"] for lot in own), ZERO),
            "broken": sum((lot["credits_left"] for lot in own if lot["is_broken"]), ZERO),
            "deferred": sum((lot["credits_left"] for lot in own if not lot["is_broken"]), ZERO),
        }
        used, broken = now["used"] - before["used"], now["broken"] - before["broken"]
        # What came in and what went out is what is left: nothing is made or lost.
        assert before["deferred"] + sold - used - broken == now["deferred"]
        cost = sum(
            (
                each.vendor_cost_usd(options) or ZERO
                for each in history.generations
                if options.month(each.created_at) == month
            ),
            ZERO,
        )
        owed = sum(
            (
                max(ZERO, each.credits_used - each.credits_refunded)
                for each in history.generations
                if each.status == "failed" and options.month(each.created_at) <= month
            ),
            ZERO,
        )
        rows.append(
            {
                "month_start": month,
                "credits_deferred_before": before["deferred"],
                "credits_sold": sold,
                "sold_credits_used": used,
                "sold_credits_broken": broken,
                "credits_deferred": now["deferred"],
                "billings_usd": rounded(sold * price, 6),
                "usage_revenue_usd": rounded(used * price, 6),
                "breakage_revenue_usd": rounded(broken * price, 6),
                "recognized_revenue_usd": rounded((used + broken) * price, 6),
                "deferred_revenue_usd": rounded(now["deferred"] * price, 6),
                "cost_of_revenue_usd": rounded(cost, 6),
                "gross_profit_usd": rounded((used + broken) * price - cost, 6),
                "credits_owed": owed,
                "refunds_payable_usd": rounded(owed * price, 6),
                "generations_without_cost": costs.get(month, {}).get("generations_without_cost", 0),
            }
        )
        before = now
    return rows


def _accounts(history: History, options: Options) -> tuple[dict, dict]:
    """By user, lots (day, whether bought, size), and what took credits in which month."""
    given: dict[tuple, Decimal] = defaultdict(Decimal)
    taken: dict[str | None, list[tuple[date, Decimal]]] = defaultdict(list)
    for row in history.kept.ledger:
        day, amount = options.day(row.created_at), row.direction * row.credits
        if row.kind in GIVEN and row.direction:
            name = "bought" if row.kind == "grant" and row.is_bought else GIVEN[row.kind]
            given[row.user_id, day, name] += amount
        elif row.kind in OTHERS:
            taken[row.user_id].append((_month(day), -amount))
    for refund in history.refunds:
        taken[refund.user_id].append((options.month(refund.created_at), -refund.credits))
    for each in history.generations:
        taken[each.user_id].append((options.month(each.created_at), each.credits_used))
    lots: dict[str | None, list[tuple[date, bool, Decimal]]] = defaultdict(list)
    for (user_id, day, name), credits in given.items():
        if credits > 0:
            lots[user_id].append((day, name == "bought", credits))
        else:
            taken[user_id].append((_month(day), -credits))
    return lots, taken


def _month(day: date) -> date:
    return day.replace(day=1)


def _months(first: date, last: date) -> list[date]:
    months = []
    while first <= last:
        months.append(first)
        first = (first + timedelta(days=31)).replace(day=1)
    return months


def _is_broken(day: date, month: date, options: Options) -> bool:
    if options.credit_breakage_months is None:
        return False
    months = (month.year - day.year) * 12 + month.month - day.month
    return months >= options.credit_breakage_months
