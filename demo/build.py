"""Run `dbt build` in this process, with a progress bar instead of its log."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.progress import Progress

from demo.app import NAME
from demo.server import Server

PROJECT = Path(__file__).resolve().parents[1]
BUILD_ROLE = "paygen"
READER_ROLE = "paygen_reader"


def build(server: Server, as_of: datetime, progress: Progress) -> None:
    """Build the demo's database as the build role; `as_of` is what the models take for now.

    Raises:
        RuntimeError: with what dbt says, model by model.
    """
    from dbt.cli.main import dbtRunner  # seconds to import: not before it is needed

    task = progress.add_task("dbt build", total=None)

    def advance(event: Any) -> None:
        total = getattr(event.data, "total", 0) or getattr(event.data, "num_models", 0)
        if total and event.info.name.startswith("Log") and event.info.name.endswith("Result"):
            progress.update(task, total=total, advance=1)

    os.environ.update(environment(server))
    result = dbtRunner(callbacks=[advance]).invoke(
        [
            "build",
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(PROJECT / "target"), "--log-path", str(PROJECT / "logs")),
            *("--log-level", "none", "--target", "demo"),
            *("--vars", json.dumps({"as_of": as_of.isoformat(), "reader_roles": [READER_ROLE]})),
        ]
    )
    if result.success:
        return
    failed = [
        f"{run.node.name}: {run.message}"
        for run in getattr(result.result, "results", None) or []
        if run.status in ("error", "fail", "runtime error")
    ]
    raise RuntimeError("\n".join(["dbt build failed.", *failed, str(result.exception or "")]))


def environment(server: Server) -> dict[str, str]:
    """libpq's variables for the demo's database, whatever the caller's own point to."""
    return {
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": BUILD_ROLE,
        "PGPASSWORD": "",
        "PGDATABASE": NAME,
        "PGSSLMODE": "prefer",
    }
