"""Check that SQL, and the YAML whose descriptions become comments on tables, are ASCII.

A server or client in another encoding than UTF-8 refuses a whole statement for one character that
it lacks, in a comment too.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def problems(project: Path) -> Iterator[str]:
    """Each line with another character than ASCII has, with its place."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.sql", "*.yml"],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, tracked.split("\0")):
        path = project / name
        if name.startswith(".github/") or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            strange = sorted({character for character in line if not character.isascii()})
            if strange:
                yield f"{name}:{number}: not ASCII: {' '.join(strange)}"


def main() -> int:
    """Print all problems and answer the exit code."""
    found = list(problems(PROJECT))
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
