"""What an export of a test answers."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """Exit code, and what was said on either stream."""

    code: int
    out: str
    said: str


Export = Callable[..., Result]
