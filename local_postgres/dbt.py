"""Run dbt in this process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest


def run_dbt(
    command: Sequence[str],
    project: Path,
    profiles: Path,
    target: Path,
    logs: Path,
    callbacks: Sequence[Callable[[Any], None]] = (),
    manifest: "Manifest | None" = None,
) -> "dbtRunnerResult":
    """Run one dbt command, which prints nothing: `callbacks` get what it says.

    `profiles` is the folder of profiles.yml; `target` and `logs` are where dbt writes.
    """
    from dbt.cli.main import dbtRunner  # seconds to import: not before it is needed

    return dbtRunner(manifest=manifest, callbacks=list(callbacks)).invoke(
        [
            *command,
            *("--project-dir", str(project), "--profiles-dir", str(profiles)),
            *("--target-path", str(target), "--log-path", str(logs), "--log-level", "none"),
        ]
    )
