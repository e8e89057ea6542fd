"""What was told to whom: a file that is written aside, renamed, and used by one at a time."""

import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notify.news import Told
from reader.problems import Problem

VERSION = 1
WAIT_SECONDS = 60.0


@dataclass
class Memory:
    """The file's contents; channels stand in it by a hash of their address."""

    path: Path
    place: str
    salt: str
    told: dict[str, Told]

    def of(self, address: str) -> Told:
        """What the channel of an address was told and has not been told to be over."""
        return self.told.get(self._name(address), {})

    def keep(self, address: str, told: Told) -> None:
        """Write what the channel has been told by now.

        Raises:
            Problem: the file cannot be written.
        """
        self.told[self._name(address)] = told
        contents = {
            "version": VERSION,
            "place": self.place,
            "salt": self.salt,
            "told": self.told,
        }
        aside = self.path.with_name(f".{self.path.name}.partial")
        try:
            aside.unlink(missing_ok=True)
            with os.fdopen(
                os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
            ) as file:
                json.dump(contents, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _name(self, address: str) -> str:
        return hashlib.sha256((self.salt + address).encode()).hexdigest()[:16]


@contextmanager
def held(path: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Nobody else tells anything by this file until the block ends.

    Raises:
        Problem: somebody does, or nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        give_up_at = time.monotonic() + wait_seconds
        while not _locked(handle):
            if time.monotonic() > give_up_at:
                raise Problem(f"Another notifier has used {path} for {wait_seconds:.0f} seconds.")
            time.sleep(0.1)
        yield
    finally:
        os.close(handle)


def recall(path: Path, place: str) -> Memory:
    """What the file says; without one, nobody was told anything.

    Raises:
        Problem: it is no such file, or that of another database.
    """
    try:
        contents: dict[str, Any] = json.loads(path.read_text())
        if contents["version"] != VERSION:
            raise ValueError(f"version {contents['version']}")
        memory = Memory(path, contents["place"], contents["salt"], contents["told"])
        _check(memory.told)
    except FileNotFoundError:
        return Memory(path, place, secrets.token_hex(16), {})
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror}): nothing was told.") from error
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise Problem(
            f"{path} is no memory of alerts: remove it, and every open alert is told once more."
        ) from error
    if memory.place != place:
        raise Problem(
            f"{path} is the memory of {memory.place}, and these alerts are of {place}: name another"
            " file with --state."
        )
    return memory


def _check(told: dict[str, Told]) -> None:
    for channel in told.values():
        for each in channel.values():
            float(each["value"])
            if not isinstance(each["severity"] + each["message"], str):
                raise ValueError("no texts")


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unwritable(path: Path, error: OSError) -> Problem:
    return Problem(f"{path} cannot be written ({error.strerror}): name another file with --state.")
