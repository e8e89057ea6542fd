"""What was told to whom: a file that is written aside, renamed, and used by one at a time."""

import hashlib
import json
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notify.news import Told
from reader import state
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
        state.write(
            self.path,
            "--state",
            {"version": VERSION, "place": self.place, "salt": self.salt, "told": self.told},
        )

    def _name(self, address: str) -> str:
        return hashlib.sha256((self.salt + address).encode()).hexdigest()[:16]


def held(path: Path, wait_seconds: float = WAIT_SECONDS) -> AbstractContextManager[None]:
    """Nobody else tells anything by this file until the block ends.

    Raises:
        Problem: somebody does, or nothing can be written there.
    """
    return state.held(path, "--state", "notifier", wait_seconds)


def recall(path: Path, place: str | None) -> Memory:
    """What the file says; without one, nobody was told anything.

    `place` is none while the database cannot say where it is.

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
        return Memory(path, place or "", secrets.token_hex(16), {})
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror}): nothing was told.") from error
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise Problem(
            f"{path} is no memory of alerts: remove it, and every open alert is told once more."
        ) from error
    memory.place = memory.place or place or ""
    if place is not None and memory.place != place:
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
