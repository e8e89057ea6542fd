"""Runs that failed, as the scheduler remembers them: also those that no database has heard of."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from notify.alerts import Alert
from reader.problems import Problem


def read(path: Path) -> list[Alert]:
    """An alert for each kind of run whose last one failed, by the id that the mart would give it.

    Raises:
        Problem: the file is no record of runs.
    """
    try:
        runs: dict[str, dict[str, Any]] = json.loads(path.read_text())["runs"]
        return [_alert(name, run) for name, run in runs.items() if run["failures"]]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror}): nothing was told.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(f"{path} is no record of runs: remove it.") from error


def merge(found: list[Alert], failed: list[Alert]) -> list[Alert]:
    """The mart's alerts, and of the scheduler's those that the mart has not."""
    known = {alert.alert_id for alert in found}
    return [*found, *(alert for alert in failed if alert.alert_id not in known)]


def _alert(name: str, run: dict[str, Any]) -> Alert:
    times = "once" if run["failures"] == 1 else f"{run['failures']} times in a row"
    what = ", ".join(run["failed"][:5]) or "before it built anything"
    return Alert(
        f"failed_run:{run['selector']}",
        "failed_run",
        "warning" if run["failures"] == 1 else "critical",
        f"The run '{name}' failed {times} ({what}): the scheduler's log says why",
        Decimal(run["failures"]),
        datetime.fromisoformat(run["failing_since"]),
        "run_history",
        "status",
    )
