"""Findings and balances: what does not fit together."""

from collections import defaultdict
from collections.abc import Iterator

from tests.oracle.cleaning import Options, Row
from tests.oracle.generations import Generation, History


def credit_audit_findings(history: History, options: Options) -> list[Row]:
    """One row per finding."""
    rows = [
        _finding(finding_type, each.user_id, generation_id=each.generation_id)
        for each in history.generations
        for finding_type in _generation_findings(each, options)
    ]
    rows += [
        _finding("refund_without_charge", refund.user_id, transaction_id=refund.id)
        for refund in history.refunds
        if refund.id not in history.refunded_generation
    ]
    rows += [
        _finding("balance_drift", row["user_id"])
        for row in credit_balance_reconciliation(history, options)
        if row["drift"]
    ]
    return rows


def credit_balance_reconciliation(history: History, options: Options) -> list[Row]:
    """One row per user with a balance or a ledger row."""
    ledger: dict[str, int] = defaultdict(int)
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


def _generation_findings(generation: Generation, options: Options) -> Iterator[str]:
    used, refunded = generation.credits_used, generation.credits_refunded
    refund_count = len(generation.refunds)
    if generation.status == "failed" and used > 0 and refund_count == 0:
        yield "failed_not_refunded"
    if generation.status == "completed" and refund_count > 0:
        yield "refunded_but_completed"
    if refund_count > 1:
        yield "double_refund"
    if refund_count > 0 and refunded < used:
        yield "under_refund"
    if refund_count == 1 and refunded > used:
        yield "over_refund"
    if len(generation.charges) > 1:
        yield "double_charge"
    price, recorded = generation.list_price_usd(options), generation.recorded_cost_usd
    if (
        price is not None
        and recorded is not None
        and abs(recorded - price) > options.cost_tolerance_usd
    ):
        yield "cost_mismatch"


def _finding(
    finding_type: str,
    user_id: str | None,
    generation_id: str | None = None,
    transaction_id: str | None = None,
) -> Row:
    return {
        "finding_type": finding_type,
        "user_id": user_id,
        "generation_id": generation_id,
        "transaction_id": transaction_id,
    }
