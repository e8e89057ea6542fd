"""Trial builds: `dbt build --empty` and `--sample` leave alone what readers read.

`generate_schema_name` gives a trial schemas of its own. dbt keeps the parsed project, in which the
names are, from run to run: that of a trial is kept apart.
"""

import os
from typing import Any

import click
from dbt.context.providers import RuntimeRefResolver
from dbt.flags import get_flags
from dbt.plugins.manager import dbtPlugin
from dbt_common.context import get_invocation_context


class TrialPlugin(dbtPlugin):
    """Prepares dbt for a trial, if this invocation is one."""

    def initialize(self) -> None:
        """Run by dbt once it has read the project's settings, and before its models."""
        RuntimeRefResolver.resolve_limit = property(_limit)
        flags = get_flags()
        options = {
            "--empty": getattr(flags, "EMPTY", False),
            "--sample": getattr(flags, "SAMPLE", None),
        }
        option = next((name for name, given in options.items() if given), "")
        # For `env_var`, which reads the copy that dbt has made by now.
        for environment in (os.environ, get_invocation_context().env):
            environment["PAYGEN_TRIAL"] = option
        if not option:
            return
        # Nothing of the trial before, which may have had other rows, is history.
        object.__setattr__(flags, "FULL_REFRESH", True)
        project = click.get_current_context().obj["project"]
        project.target_path = f"{project.target_path}/trial"


def _limit(resolver: Any) -> int | None:
    """None for a model of ours: with empty sources it is empty.

    Of others dbt makes a subquery with an alias of its own, beside which no alias can stand.
    """
    if resolver.model.package_name == "paygen":
        return None
    return 0 if getattr(resolver.config.args, "EMPTY", False) else None


plugins = [TrialPlugin]
