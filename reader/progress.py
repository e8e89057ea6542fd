"""What a command that takes its time shows meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# What is done, how many rows of it so far, and how many in all.
Tell = Callable[[str, int, int], None]


@contextmanager
def shown_progress() -> Iterator[Tell]:
    """A bar for each thing that is told of, on stderr, until the block ends."""
    bars: dict[str, Any] = {}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:

        def tell(what: str, rows: int, of: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=of)
            progress.update(bars[what], completed=rows, total=of)

        yield tell
