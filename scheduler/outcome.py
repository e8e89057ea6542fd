"""What the warm process answers."""

from dataclasses import dataclass

SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"
CANCEL = "cancel"


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: succeeded, failed or cancelled.
        nodes: how many models, seeds, tests and hooks it came to.
        failed: names of those that failed.
        problem: why it came to none; may hold what is private.
    """

    status: str
    nodes: int = 0
    failed: tuple[str, ...] = ()
    problem: str = ""
