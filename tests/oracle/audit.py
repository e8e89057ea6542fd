"""Findings and balances: what does not fit together."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tests.oracle.cleaning import Options, Row
from tests.oracle.generations import Generation, History
from tests.oracle.rounding import rounded


def credit_audit_findings(history: History, options: Options) -> list[Row]:
    """One row per finding."""
    rows = [
        _finding(finding_type, each.user_id, *at_stake, generation_id=each.generation_id)
        for each in history.generations
        for finding_type, *at_stake in _generation_findings(each, options)
    ]
    rows += [
        _finding("refund_without_charge", refund.user_id, refund.credits, transaction_id=refund.id)
        for refund in history.refunds
        if refund.id not in history.refunded_generation
    ]
    rows += [
        _finding("balance_drift", row["user_id"], row["drift"])
        for row in credit_balance_reconciliation(history, options)
        if row["drift"]
    ]
    return [_worth(row, options) for row in rows]


def findings_by_type(history: History, options: Options) -> list[Row]:
    """One row per type of which there is a finding."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for finding in credit_audit_findings(history, options):
        rows[finding["finding_type"]].append(finding)

    def total(findings: list[Row], name: str) -> Decimal | None:
        known = [each[name] for each in findings if each[name] is not None]
        return sum(known, Decimal(0)) if known else None

    return [
        {
            "finding_type": finding_type,
            "findings": len(findings),
            "users": len({each["user_id"] for each in findings} - {None}),
            **{
                name: total(findings, name)
                for name in ("credits_at_stake", "usd_at_stake", "worth_usd")
            },
        }
        for finding_type, findings in rows.items()
    ]


def credit_balance_reconciliation(history: History, options: Options) -> list[Row]:
    """One row per user with a balance or a ledger row."""
    ledger: dict[str, Decimal] = defaultdict(Decimal)
    for row in history.kept.ledger:
        if row.user_id is not None and row.id not in history.shadow_ids:
            ledger[row.user_id] += row.direction * row.credits
    balances = {balance.user_id: balance.credits for balance in history.kept.balances}
    return [
        {
            "user_id": user_id,
            "app_balance": balances.get(user_id, 0),
            "ledger_balance": ledger.get(user_id, 0),
            "drift": balances.get(user_id, 0) - ledger.get(user_id, 0),
        }
        for user_id in {*ledger, *balances}
    ]


def _generation_findings(generation: Generation, options: Options) -> Iterator[tuple]:
    """Each finding with the credits and the US dollars at stake."""
    used, refunded = generation.credits_used, generation.credits_refunded
    refund_count = len(generation.refunds)
    if generation.status == "failed" and used > 0 and refund_count == 0:
        yield "failed_not_refunded", used
    if generation.status == "completed" and refund_count > 0:
        yield "refunded_but_completed", refunded
    if refund_count > 1:
        first = min(generation.refunds, key=lambda refund: refund.order)
        yield "double_refund", refunded - first.credits
    if refund_count > 0 and refunded < used:
        yield "under_refund", used - refunded
    if refund_count == 1 and refunded > used:
        yield "over_refund", refunded - used
    if len(generation.charges) > 1:
        first, *further = sorted(generation.charges, key=lambda charge: charge.order)
        costs = [charge.cost_usd for charge in further if charge.cost_usd is not None]
        yield "double_charge", used - first.credits, rounded(sum(costs), 6) if costs else None
    price, recorded = generation.list_price_usd(options), generation.recorded_cost_usd
    if (
        price is not None
        and recorded is not None
        and abs(recorded - price) > options.cost_tolerance_usd
    ):
        yield "cost_mismatch", None, rounded(recorded - price, 6)


def _finding(
    finding_type: str,
    user_id: str | None,
    credits_at_stake: Decimal | None = None,
    usd_at_stake: Decimal | None = None,
    generation_id: str | None = None,
    transaction_id: str | None = None,
) -> Row:
    return {
        "finding_type": finding_type,
        "user_id": user_id,
        "generation_id": generation_id,
        "transaction_id": transaction_id,
        "credits_at_stake": credits_at_stake,
        "usd_at_stake": usd_at_stake,
    }


def _worth(finding: Row, options: Options) -> Row:
    """What is at stake in US dollars."""
    credits_at_stake = finding["credits_at_stake"]
    if credits_at_stake is None:
        return {**finding, "worth_usd": finding["usd_at_stake"]}
    return {**finding, "worth_usd": rounded(credits_at_stake * options.credit_price_usd, 6)}
