"""Registration with dbt: the one file that knows how dbt finds the runtime."""

import functools
import gc
import os
from typing import Any

from dbt.adapters.contracts.connection import AdapterResponse
from dbt.plugins.manager import dbtPlugin
from dbt_common.context import get_invocation_context

SUBMISSION_METHOD = "in_process"
ENVIRONMENT_FLAG = "DBT_POSTGRES_PYTHON"


class PostgresPythonPlugin(dbtPlugin):
    """Teaches dbt-postgres to run Python models in dbt's own process."""

    def initialize(self) -> None:
        """Register the runtime, and say so to `env_var('DBT_POSTGRES_PYTHON')` in YAML."""
        from dbt.adapters.postgres.impl import PostgresAdapter

        register(PostgresAdapter)
        # dbt renders models' `enabled:` from the copy of the environment it has made by now, and
        # partial parsing looks for changes in the environment itself.
        for environment in (os.environ, get_invocation_context().env):
            environment[ENVIRONMENT_FLAG] = "True"
        seek_garbage_less_often()


def seek_garbage_less_often() -> None:
    """Spare Python most looks through what dbt has loaded, none of which goes before dbt ends.

    They take a fifth of a short run. Frozen is only what the first dbt of a process finds: in one
    that runs dbt again and again, later freezes would keep garbage.
    """
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def register(adapter_class: type) -> None:
    """Set the three members a dbt adapter needs for Python models, and nothing else."""
    adapter_class.python_submission_helpers = property(_submission_helpers)
    adapter_class.default_python_submission_method = SUBMISSION_METHOD
    adapter_class.generate_python_submission_response = _response


def _submission_helpers(adapter: Any) -> dict[str, Any]:
    from dbt_postgres_python.submission import InProcessJob

    return {SUBMISSION_METHOD: functools.partial(InProcessJob, connections=adapter.connections)}


def _response(_adapter: Any, rows: int) -> AdapterResponse:
    return AdapterResponse(_message=f"COPY {rows}", code="COPY", rows_affected=rows)
