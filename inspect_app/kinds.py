"""What the kinds of ledger rows mean: by their names, their signs, what they refer to."""

from dataclasses import dataclass
from decimal import Decimal

from inspect_app import words
from inspect_app.proposal import HIGH, LOW, MEDIUM

GENERATION, OTHER, REFUNDED = "generation_charge", "other_charge", "refund"
GRANTED, ADJUSTED, HELD, RELEASED = "grant", "adjustment", "hold", "release"


@dataclass(frozen=True)
class Facts:
    """What the ledger's rows of one kind have in common."""

    rows: int
    negative: int
    positive: int
    referring: int
    found: float
    """The share of a sample of its references that are a task's id."""
    moves: tuple[int, int] = (0, 0)
    """How many rows lower and raise the running balance, in a sample."""
    is_cost: bool = False
    """Whether amounts are called what something cost, and have no sign."""

    @property
    def takes(self) -> bool:
        """Whether the rows take credits, as far as the running balance tells."""
        return self.moves[0] > self.moves[1]

    @property
    def gives(self) -> bool:
        """Whether the rows give credits, as far as the running balance tells."""
        return self.moves[1] > self.moves[0]


@dataclass(frozen=True)
class Verdict:
    """What a kind means, and why."""

    kind: str | None
    reason: str
    confidence: str
    is_bought: bool = False


def by_name(value: str) -> tuple[str | None, bool]:
    """What a kind's name says it is; and whether its credits are paid for."""
    found = words.stems(value)
    if found & words.HOLD and found & (words.UNDO | words.REFUND | words.RELEASE | words.EXPIRE):
        return RELEASED, False
    if found & words.RELEASE and not found & words.NO_GENERATION:
        return RELEASED, False
    if found & words.HOLD and not found & words.SETTLE:
        return HELD, False
    if found & words.CHARGEBACK or (found & words.REFUND and found & words.MONEY_BACK):
        return ADJUSTED, False
    if found & words.REFUND:
        return REFUNDED, False
    if found & words.EXPIRE:
        return ADJUSTED, False
    if found & {"manual", "admin"} and found & words.SURE_GRANT:
        return GRANTED, False
    is_given = found & words.SURE_GRANT - ({"add"} if "adjustment" in found else set())
    if found & words.ADJUST and not is_given and not found & words.BOUGHT:
        # A reset of the month's credits fills up.
        fills = "reset" in found and found & words.PERIODIC
        return (GRANTED if fills else ADJUSTED), False
    if found & words.NO_GENERATION and not found & words.WORK - {"api"}:
        return OTHER, False
    if found & words.SETTLE:
        return GENERATION, False
    if found & words.CHARGE and not found & words.SURE_GRANT:
        return GENERATION, False
    if found & words.BOUGHT and not found & {"bonus", "gift"}:
        return GRANTED, True
    if found & words.SURE_GRANT:
        return GRANTED, False
    if found & words.WORK and not found & words.GRANT:
        return GENERATION, False
    if found & words.GRANT:
        return GRANTED, False
    return None, False


def judge(value: str, facts: Facts, is_signed: bool, has_work: bool) -> Verdict:
    """What the rows of a kind are.

    Args:
        value: the name of the kind.
        facts: what its rows have in common.
        is_signed: amounts have a sign that tells what they do.
        has_work: rows of another kind name tasks, so that one without is no generation.
    """
    kind, is_bought = by_name(value)
    takes = facts.negative > 0 and facts.positive == 0 if is_signed else facts.takes
    gives = facts.positive > 0 and facts.negative == 0 if is_signed else facts.gives
    told = "sign" if is_signed else "users' balances"
    if kind in (GENERATION, OTHER) and gives and not takes and (is_signed or facts.moves[1] > 1):
        if facts.found or set(words.tokens(value)) & words.BROKEN:
            return Verdict(REFUNDED, f"named a charge, but by the {told} it gives back", LOW)
        if words.stems(value) & words.CHARGE == {"charge"}:
            reason = f"gives credits by the {told}: the account is charged"
            return Verdict(GRANTED, reason, LOW, is_bought=True)
        return Verdict(ADJUSTED, f"named a charge, but by the {told} it gives credits", LOW)
    if kind == GRANTED and takes:
        if set(words.tokens(value)) & words.WORK or facts.found:
            return Verdict(GENERATION, f"takes credits by the {told}", MEDIUM)
        return Verdict(ADJUSTED, f"named a grant, but takes credits by the {told}", LOW)
    if kind == REFUNDED and takes and (is_signed or facts.moves[0] > 1):
        if facts.found and set(words.tokens(value)) & words.WORK:
            # A photo that is restored, not credits.
            return Verdict(GENERATION, f"takes credits by the {told} and names tasks", MEDIUM)
        if not facts.found:
            return Verdict(ADJUSTED, f"named a refund, but takes credits by the {told}", LOW)
    is_given = kind not in (GRANTED, None) or is_bought or words.stems(value) & words.SURE_GRANT
    if facts.is_cost and not is_given and not gives:
        other = OTHER if has_work and not facts.found else GENERATION
        return Verdict(other, "amounts are called a cost", LOW)
    if kind == GENERATION and has_work and words.stems(value) & words.NO_GENERATION:
        return Verdict(OTHER, "no generation by its name, and others are", MEDIUM)
    if kind == ADJUSTED and not is_signed and (facts.takes or _is_expiry(value)):
        return Verdict(OTHER, "takes credits, and is no generation; amounts have no sign", MEDIUM)
    if kind == ADJUSTED and not is_signed and not facts.gives:
        return Verdict(ADJUSTED, "by its name; amounts have no sign, read as given", LOW)
    if kind is not None:
        agrees = {GENERATION: takes, OTHER: takes, HELD: takes}.get(kind, gives)
        reason = f"by its name and the {told}" if agrees else "by its name"
        return Verdict(kind, reason, HIGH if agrees or kind == ADJUSTED else MEDIUM, is_bought)
    if takes and facts.found >= 0.5:
        return Verdict(GENERATION, f"takes credits by the {told} and names tasks", MEDIUM)
    if takes:
        other = OTHER if has_work else GENERATION
        return Verdict(other, f"takes credits by the {told}", LOW)
    if gives and facts.found >= 0.5:
        return Verdict(REFUNDED, f"gives credits by the {told} and names tasks", MEDIUM)
    if gives:
        return Verdict(GRANTED, f"gives credits by the {told}", LOW)
    if facts.negative and facts.positive:
        return Verdict(ADJUSTED, "has amounts of both signs", LOW)
    if facts.found >= 0.5:
        return Verdict(GENERATION, "names tasks", LOW)
    return Verdict(None, "neither its name nor its amounts say what it is", LOW)


def _is_expiry(value: str) -> bool:
    return bool(words.stems(value) & (words.EXPIRE | words.CHARGEBACK))


def settled(verdicts: dict[str, Verdict], facts: dict[str, Facts]) -> dict[str, Verdict]:
    """Tell charges by what moves credits.

    Where no other row charges, holds are the charges, and their releases refunds.
    """
    charges = [
        value
        for value, verdict in verdicts.items()
        if verdict.kind == GENERATION and facts[value].negative + facts[value].positive
    ]
    if charges:
        free = Verdict(OTHER, "moves no credits, as the other charges do", MEDIUM)
        return {
            value: free if verdict.kind == GENERATION and value not in charges else verdict
            for value, verdict in verdicts.items()
        }
    if not any(verdict.kind == HELD for verdict in verdicts.values()):
        return verdicts
    changed = {
        HELD: Verdict(GENERATION, "a hold that no other row settles: it is the charge", MEDIUM),
        RELEASED: Verdict(REFUNDED, "gives back what was held, which is the charge", MEDIUM),
        GENERATION: Verdict(ADJUSTED, "settles a hold and moves nothing itself", MEDIUM),
    }
    return {value: changed.get(verdict.kind or "", verdict) for value, verdict in verdicts.items()}


def balance_moves(
    rows: list[tuple[str, str, Decimal, Decimal]],
) -> dict[str, tuple[int, int]]:
    """How often rows of each kind lower and raise the running balance.

    Args:
        rows: user, kind, amount and balance afterwards, in the order of the ledger.
    """
    last: dict[str, Decimal] = {}
    moves: dict[str, tuple[int, int]] = {}
    for user, kind, amount, after in rows:
        before = last.get(user)
        last[user] = after
        if before is None or abs(after - before) != abs(amount) or not amount:
            continue
        down, up = moves.get(kind, (0, 0))
        moves[kind] = (down + 1, up) if after < before else (down, up + 1)
    return moves
