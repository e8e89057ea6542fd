"""Whether the project has changed since dbt parsed it."""

import os
from pathlib import Path

# What dbt reads, what its process imports, and what is installed.
SUFFIXES = (".sql", ".yml", ".yaml", ".csv", ".md", ".py", ".env", ".lock")
WRITTEN_BY_RUNS = {"target", "logs", "node_modules", "__pycache__", "exports"}


def fingerprint(folder: Path) -> frozenset[tuple[str, int, int]]:
    """Names, times and sizes of the project's files, links followed: packages may be linked."""
    found: set[tuple[str, int, int]] = set()
    seen: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = [
            name for name in folders if name not in WRITTEN_BY_RUNS and not name.startswith(".")
        ]
        for name in files:
            if name.endswith(SUFFIXES) and (name == ".env" or not name.startswith(".")):
                path = os.path.join(place, name)
                try:
                    status = os.stat(path)
                except FileNotFoundError:  # an editor's file, gone again
                    continue
                found.add((path, status.st_mtime_ns, status.st_size))
    return frozenset(found)
