"""A small file of state: written aside, renamed, and used by one process at a time."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reader.problems import Problem


def default_path(name: str) -> Path:
    """Where a file of state is unless its command is told: in the user's folder for such files."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "paygen" / name


@contextmanager
def held(path: Path, option: str, user: str, wait_seconds: float) -> Iterator[None]:
    """Nobody else uses this file until the block ends.

    Args:
        path: the file.
        option: the option that names it.
        user: what uses it, such as "notifier".
        wait_seconds: how long to wait for another one.

    Raises:
        Problem: somebody does, or nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(path, option, error) from error
    try:
        give_up_at = time.monotonic() + wait_seconds
        while not _locked(handle):
            if time.monotonic() > give_up_at:
                raise Problem(f"Another {user} has used {path} for {wait_seconds:.0f} seconds.")
            time.sleep(0.1)
        yield
    finally:
        os.close(handle)


def write(path: Path, option: str, contents: dict[str, Any]) -> None:
    """Replace the file at once.

    Raises:
        Problem: it cannot be written.
    """
    aside = path.with_name(f".{path.name}.partial")
    try:
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(contents, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as error:
        raise unwritable(path, option, error) from error


def unwritable(path: Path, option: str, error: OSError) -> Problem:
    """The sentence for a file that cannot be written."""
    return Problem(f"{path} cannot be written ({error.strerror}): name another file with {option}.")


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
