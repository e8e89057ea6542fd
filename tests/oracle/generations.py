"""Generations from tasks, charges and refunds: who belongs to whom."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from tests.oracle import seeds
from tests.oracle.cleaning import Kept, LedgerRow, Options, Task


@dataclass
class Generation:
    """One attempt to make one output for one user, with everything that points at it."""

    generation_id: str
    user_id: str | None
    provider: str
    enhancement_type: str
    status: str
    created_at: datetime
    ended_at: datetime | None
    task_cost_usd: Decimal | None
    error_message: str | None
    record_source: str
    charges: list[LedgerRow]
    refunds: list[LedgerRow] = field(default_factory=list)

    @property
    def failed_at(self) -> datetime:
        """When it failed, at its creation where no end is known."""
        return self.ended_at or self.created_at

    @property
    def credits_used(self) -> Decimal:
        """Credits of its charges."""
        return sum((charge.credits for charge in self.charges), Decimal(0))

    @property
    def credits_refunded(self) -> Decimal:
        """Credits of its refunds."""
        return sum((refund.credits for refund in self.refunds), Decimal(0))

    @property
    def recorded_cost_usd(self) -> Decimal | None:
        """First cost among its charges, else the task's."""
        costs = [charge.cost_usd for charge in self.charges if charge.cost_usd is not None]
        return costs[0] if costs else self.task_cost_usd

    @property
    def duration_seconds(self) -> Decimal | None:
        """Seconds from creation to end; None where it has not ended or the times contradict."""
        if self.ended_at is None or self.ended_at < self.created_at:
            return None
        return Decimal((self.ended_at - self.created_at) // timedelta(microseconds=1)) / 10**6

    def is_billed(self, options: Options) -> bool:
        """Whether the vendor charges for it."""
        return self.status == "completed" or (
            self.status == "failed" and options.failed_generations_are_billed
        )

    def list_price_usd(self, options: Options) -> Decimal | None:
        """Price in force on its day."""
        return seeds.list_price(self.provider, options.day(self.created_at))

    def list_cost_usd(self, options: Options) -> Decimal | None:
        """Cost by the price list, 0 where it is not billed."""
        return self.list_price_usd(options) if self.is_billed(options) else Decimal(0)

    def vendor_cost_usd(self, options: Options) -> Decimal | None:
        """Cost by the chosen basis, 0 where it is not billed."""
        if not self.is_billed(options):
            return Decimal(0)
        if options.vendor_cost_basis == "list":
            return self.list_price_usd(options)
        if options.vendor_cost_basis == "task":
            return self.task_cost_usd
        return self.recorded_cost_usd


@dataclass
class History:
    """Everything that happened: generations with their refunds, and what belongs to none."""

    kept: Kept
    generations: list[Generation]
    refunds: list[LedgerRow]
    refunded_generation: dict[str, Generation]
    shadow_ids: set[str]


def assemble(kept: Kept, options: Options) -> History:
    """Build the generations and match shadows and refunds to them."""
    charges = [row for row in kept.ledger if row.kind == "generation_charge"]
    refunds = [row for row in kept.ledger if row.kind == "refund"]
    shadow_ids = _shadows(charges, timedelta(seconds=options.shadow_charge_window_seconds))
    by_generation: dict[str, list[LedgerRow]] = defaultdict(list)
    for charge in charges:
        if charge.id not in shadow_ids:
            by_generation[charge.api_request_id or charge.id].append(charge)
    generations = [_from_task(task, by_generation.pop(task.id, [])) for task in kept.tasks]
    generations += [_from_charges(key, group) for key, group in by_generation.items()]
    refunded = _match_refunds(refunds, generations, timedelta(hours=options.refund_window_hours))
    return History(kept, generations, refunds, refunded, shadow_ids)


def _shadows(charges: list[LedgerRow], window: timedelta) -> set[str]:
    """Ids of the bare charges that are shadows; `charges` are in time order."""
    fuller: dict[tuple, list[LedgerRow]] = defaultdict(list)
    for charge in charges:
        if not charge.is_bare:
            fuller[charge.user_id, charge.credits, charge.enhancement_type].append(charge)
    shadows = set()
    for bare in filter(lambda charge: charge.is_bare, charges):
        free = fuller[bare.user_id, bare.credits, bare.enhancement_type]
        near = [charge for charge in free if abs(charge.created_at - bare.created_at) <= window]
        if near:
            free.remove(near[0])
            shadows.add(bare.id)
    return shadows


def _from_task(task: Task, charges: list[LedgerRow]) -> Generation:
    first = charges[0] if charges else None
    return Generation(
        generation_id=task.id,
        user_id=task.user_id or (first and first.user_id),
        provider=task.provider or (first and first.provider) or "unknown",
        enhancement_type=task.enhancement_type or (first and first.enhancement_type) or "unknown",
        status=task.status,
        created_at=task.created_at,
        ended_at=task.ended_at,
        task_cost_usd=task.cost_usd,
        error_message=task.error_message,
        record_source="task",
        charges=charges,
    )


def _from_charges(generation_id: str, charges: list[LedgerRow]) -> Generation:
    first = charges[0]
    return Generation(
        generation_id=generation_id,
        user_id=first.user_id,
        provider=first.provider or "unknown",
        enhancement_type=first.enhancement_type or "unknown",
        status=first.status or "completed",
        created_at=first.created_at,
        ended_at=None,
        task_cost_usd=None,
        error_message=None,
        record_source="charge",
        charges=charges,
    )


def _match_refunds(
    refunds: list[LedgerRow], generations: list[Generation], window: timedelta
) -> dict[str, Generation]:
    """Give each refund its generation; `refunds` are in time order. Generation by refund id."""
    matched = {}
    by_id = {generation.generation_id: generation for generation in generations}
    for refund in refunds:
        if refund.api_request_id in by_id:
            matched[refund.id] = by_id[refund.api_request_id]
            by_id[refund.api_request_id].refunds.append(refund)
    free: dict[str | None, list[Generation]] = defaultdict(list)
    for generation in sorted(generations, key=lambda each: (each.failed_at, each.generation_id)):
        if generation.status == "failed" and not generation.refunds:
            free[generation.user_id].append(generation)
    for refund in refunds:
        if refund.api_request_id is not None:
            continue
        candidates = [
            generation
            for generation in free[refund.user_id]
            if refund.enhancement_type in (None, generation.enhancement_type)
            and timedelta(0) <= refund.created_at - generation.failed_at <= window
        ]
        if candidates:
            matched[refund.id] = candidates[0]
            candidates[0].refunds.append(refund)
            free[refund.user_id].remove(candidates[0])
    return matched
