"""Folders that are written aside and put in place as a whole."""

import ctypes
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reader.problems import Problem

EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
HERE = -100  # AT_FDCWD


@contextmanager
def written_aside(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder` that takes its place when the block ends without an error.

    What an interrupted run left is removed by the next one: a folder aside is locked by its writer.

    Raises:
        Problem: nothing can be written there.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        aside = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}.partial")
        aside.mkdir()
    except OSError as error:
        raise Problem(
            f"{folder.parent} cannot be written ({error.strerror}): name another folder."
        ) from error
    handle = os.open(aside, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield aside
        _put_in_place(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        os.close(handle)


def _put_in_place(aside: Path, folder: Path) -> None:
    if not folder.exists():
        os.replace(aside, folder)
    elif not _exchange(aside, folder):
        old = aside.with_name(aside.name + "-old")
        os.replace(folder, old)
        try:
            os.replace(aside, folder)
        except OSError:
            os.replace(old, folder)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders at once, so that a reader meets either; False where the system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0)


def _remove_abandoned(folder: Path) -> None:
    ours = re.compile(rf"\.{re.escape(folder.name)}-[0-9a-f]{{8}}\.partial")
    for each in folder.parent.iterdir():
        if not ours.fullmatch(each.name) or each.is_symlink():
            continue
        handle = os.open(each, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(each, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(handle)
