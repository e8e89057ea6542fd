"""Registration with dbt: the one file that knows how dbt finds the runtime."""

import functools
import importlib.util
import os
from collections.abc import MutableMapping
from typing import Any, cast

from dbt.adapters.contracts.connection import AdapterResponse
from dbt.plugins.manager import dbtPlugin
from dbt_common.context import get_invocation_context

from dbt_pg_python_models.macros import register_macros

SUBMISSION_METHOD = "in_process"
ENVIRONMENT_FLAG = "DBT_PG_PYTHON_MODELS"
FAST_START_FLAG = "DBT_PG_PYTHON_MODELS_FAST_START"


class PythonModelsPlugin(dbtPlugin):
    """Teaches dbt-postgres and dbt-spark to run Python models in dbt's own process."""

    def initialize(self) -> None:
        """Register the runtime, and say so to `env_var('DBT_PG_PYTHON_MODELS')` in YAML."""
        from dbt.adapters.postgres.impl import PostgresAdapter

        register(PostgresAdapter)
        if importlib.util.find_spec("dbt.adapters.spark"):
            from dbt.adapters.spark.impl import SparkAdapter

            register(SparkAdapter)
        register_macros()
        # dbt renders models' `enabled:` from the copy of the environment it has made by now, and
        # partial parsing looks for changes in the environment itself.
        copied = cast(MutableMapping[str, str], get_invocation_context().env)
        for environment in (os.environ, copied):
            environment[ENVIRONMENT_FLAG] = "True"
        if os.environ.get(FAST_START_FLAG, "") in ("1", "true", "True"):
            from dbt_pg_python_models import fast_start

            fast_start.start_faster()


def register(adapter_class: type) -> None:
    """Set the three members a dbt adapter needs for Python models, and nothing else."""
    members = {
        "python_submission_helpers": property(_submission_helpers),
        "default_python_submission_method": SUBMISSION_METHOD,
        "generate_python_submission_response": _response,
    }
    for name, member in members.items():
        setattr(adapter_class, name, member)


def _submission_helpers(adapter: Any) -> dict[str, Any]:
    from dbt_pg_python_models.submission import InProcessJob

    return {SUBMISSION_METHOD: functools.partial(InProcessJob, connections=adapter.connections)}


def _response(_adapter: Any, rows: int) -> AdapterResponse:
    return AdapterResponse(_message=f"COPY {rows}", code="COPY", rows_affected=rows)
