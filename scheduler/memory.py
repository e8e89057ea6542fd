"""What is remembered of runs from one start of the scheduler to the next."""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reader import state
from reader.problems import Problem
from scheduler.outcome import CANCELLED, SUCCEEDED, Outcome
from scheduler.schedule import Run

VERSION = 1
RUNNING = "running"


@dataclass
class Memory:
    """The last run of each kind; of failures in a row, how many and since when."""

    path: Path
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_due(self, run: Run, now: datetime) -> datetime | None:
        """When a run is due: in the past, if it was missed, and now, if the last was cut off."""
        known = self.runs.get(run.name, {})
        if known.get("status") in (RUNNING, CANCELLED):
            return now
        last = known.get("started_at")
        due: datetime | None = run.trigger.get_next_fire_time(
            datetime.fromisoformat(last) if last else None, now
        )
        return due

    def begin(self, run: Run) -> None:
        """Keep that a run begins now."""
        with self._lock:
            known = self.runs.setdefault(run.name, {"failures": 0, "failing_since": None})
            known |= {
                "selector": run.selector,
                "status": RUNNING,
                "started_at": _now(),
                "ended_at": None,
                "nodes": 0,
                "failed": [],
            }
            self._write()

    def end(self, run: Run, outcome: Outcome) -> None:
        """Keep how it ended. One that was cancelled is due again at the next start."""
        with self._lock:
            known = self.runs[run.name]
            known |= {
                "status": outcome.status,
                "ended_at": _now(),
                "nodes": outcome.nodes,
                "failed": list(outcome.failed),
            }
            if outcome.status != CANCELLED:
                is_failed = outcome.status != SUCCEEDED
                known["failures"] = known["failures"] + 1 if is_failed else 0
                known["failing_since"] = (
                    (known["failing_since"] or known["started_at"]) if is_failed else None
                )
            self._write()

    def seconds(self, run: Run) -> float:
        """How long the last one took."""
        known = self.runs[run.name]
        begun, ended = (datetime.fromisoformat(known[each]) for each in ("started_at", "ended_at"))
        return (ended - begun).total_seconds()

    def copy(self) -> dict[str, dict[str, Any]]:
        """All of it, as it is now."""
        with self._lock:
            return {name: dict(run) for name, run in self.runs.items()}

    def _write(self) -> None:
        state.write(self.path, "--state", {"version": VERSION, "runs": self.runs})


def recall(path: Path, names: set[str]) -> Memory:
    """What the file says of runs that are still scheduled.

    Raises:
        Problem: it is no such file.
    """
    try:
        contents = json.loads(path.read_text())
        if contents["version"] != VERSION:
            raise ValueError(f"version {contents['version']}")
        runs = {name: run for name, run in contents["runs"].items() if name in names}
        for run in runs.values():
            datetime.fromisoformat(run["started_at"])
            run["failures"] += 0
        return Memory(path, runs)
    except FileNotFoundError:
        return Memory(path)
    except OSError as error:
        raise Problem(
            f"{path} cannot be read ({error.strerror}): name another file with --state."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(
            f"{path} is no record of runs: remove it, and nothing is caught up."
        ) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
