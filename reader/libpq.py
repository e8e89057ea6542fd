"""Where the marts are: by libpq's variables, else the demo's."""

import os
import subprocess
import sys
from pathlib import Path

from reader.problems import Problem

PROJECT = Path(__file__).resolve().parents[1]
VARIABLES = (
    "PGHOST",
    "PGHOSTADDR",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGDATABASE",
    "PGPORT",
    "PGUSER",
)


def use_demo_by_default(role: str | None = None) -> None:
    """Without libpq's variables, point them at the demo's server, and start it.

    Args:
        role: who asks; by default the demo's reader.

    Raises:
        Problem: there is no demo here.
    """
    if any(os.environ.get(name) for name in VARIABLES):
        return
    answer = subprocess.run(
        [sys.executable, "-m", "demo", "environment"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        reason = " ".join(answer.stderr.split()) or "there is no demo here."
        raise Problem(f"{reason} Or set PGHOST, PGUSER and PGDATABASE to where your marts are.")
    lines = (line.partition("=") for line in answer.stdout.splitlines() if line.startswith("PG"))
    os.environ.update({name: value for name, _, value in lines})
    if role:
        os.environ["PGUSER"] = role
