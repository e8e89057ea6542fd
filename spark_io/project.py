"""What the dbt project says of its tables, asked of dbt."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_postgres.dbt import run_dbt
from reader.problems import Problem, shown

PROJECT = Path(__file__).resolve().parents[1]
FRAME = ("> in macro", "> called by", "Compilation Error", "Runtime Error", "compiled code")

# Calls a macro of the project that answers JSON, and reads the answer.
Ask = Callable[[str], Any]


def ask_of(target: str) -> Ask:
    """Calls of macros against the PostgreSQL of a target of profiles.yml."""
    profile = PROJECT / "profiles.yml"
    if not profile.exists():
        shutil.copyfile(PROJECT / "profiles.yml.example", profile)

    def ask(call: str) -> Any:
        folder = PROJECT / "target" / "spark_io"
        result = run_dbt(
            [
                *("compile", "--inline", f"{{{{ {call} }}}}", "--target", target, "--quiet"),
                *("--log-level-file", "none", "--no-write-json"),
                "--no-send-anonymous-usage-stats",
            ],
            PROJECT,
            PROJECT,
            folder,
            folder / "logs",
        )
        return answer_of(result)

    return ask


def answer_of(result: Any) -> Any:
    """The JSON that a macro answered.

    Raises:
        Problem: dbt refused, and why.
    """
    if not result.success:
        nodes = getattr(result.result, "results", None) or []
        reasons = [str(node.message) for node in nodes if node.status == "error"]
        lines = [
            line.strip() for line in (reasons or [str(result.exception)])[0].splitlines() if line
        ]
        kept = [line for line in lines if line and not line.startswith(FRAME)]
        raise Problem(shown(" ".join(kept), 1500))
    return json.loads(result.result.results[0].node.compiled_code)
