"""Run `dbt build` in this process, with a progress bar instead of its log."""

import json
import os
from datetime import datetime
from typing import Any

from rich.progress import Progress

from local_postgres.databases import PROJECT, READER_ROLE, environment
from local_postgres.dbt import run_dbt
from local_postgres.server import Server


def build(server: Server, as_of: datetime, progress: Progress) -> None:
    """Build the demo's database as the build role; `as_of` is what the models take for now.

    Raises:
        RuntimeError: with what dbt says, model by model.
    """
    task = progress.add_task("dbt build", total=None)

    def advance(event: Any) -> None:
        total = getattr(event.data, "total", 0) or getattr(event.data, "num_models", 0)
        if total and event.info.name.startswith("Log") and event.info.name.endswith("Result"):
            progress.update(task, total=total, advance=1)

    os.environ.update(environment(server))
    variables = json.dumps({"as_of": as_of.isoformat(), "reader_roles": [READER_ROLE]})
    result = run_dbt(
        ["build", "--target", "demo", "--vars", variables],
        project=PROJECT,
        profiles=PROJECT,
        target=PROJECT / "target",
        logs=PROJECT / "logs",
        callbacks=[advance],
    )
    if result.success:
        return
    failed = [
        f"{run.node.name}: {run.message}"
        for run in getattr(result.result, "results", None) or []
        if run.status in ("error", "fail", "runtime error")
    ]
    raise RuntimeError("\n".join(["dbt build failed.", *failed, str(result.exception or "")]))
