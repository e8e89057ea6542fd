"""Registration with dbt: the one file that knows how dbt finds the runtime."""

import functools
import gc
import os
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from dbt.adapters.contracts.connection import AdapterResponse
from dbt.plugins.manager import dbtPlugin
from dbt_common.clients.jinja import MacroFuzzEnvironment
from dbt_common.context import get_invocation_context
from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket

from dbt_pg_python_models.macros import register_macros

SUBMISSION_METHOD = "in_process"
ENVIRONMENT_FLAG = "DBT_PG_PYTHON_MODELS"


class PythonModelsPlugin(dbtPlugin):
    """Teaches dbt-postgres to run Python models in dbt's own process."""

    def initialize(self) -> None:
        """Register the runtime, and say so to `env_var('DBT_PG_PYTHON_MODELS')` in YAML."""
        from dbt.adapters.postgres.impl import PostgresAdapter

        register(PostgresAdapter)
        register_macros()
        # dbt renders models' `enabled:` from the copy of the environment it has made by now, and
        # partial parsing looks for changes in the environment itself.
        for environment in (os.environ, get_invocation_context().env):
            environment[ENVIRONMENT_FLAG] = "True"
        seek_garbage_less_often()
        keep_compiled_templates()


def seek_garbage_less_often() -> None:
    """Spare Python most looks through what dbt has loaded, none of which goes before dbt ends.

    They take a fifth of a short run. Frozen is only what the first dbt of a process finds: in one
    that runs dbt again and again, later freezes would keep garbage.
    """
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def keep_compiled_templates() -> None:
    """Have Jinja keep what it compiled for the dbt that starts next, in its folder of this user.

    dbt compiles each macro and model anew at each start, a sixth of a short run. A template is
    found by its text, what compiles it, and the kind of environment it is for.
    """
    if MacroFuzzEnvironment.compile is not Environment.compile:
        return
    try:
        cache = FileSystemBytecodeCache(pattern="dbt_%s.cache")
    except (RuntimeError, OSError):  # there is no folder that is this user's alone
        return
    versions = [version(package) for package in ("jinja2", "dbt-common", "dbt-core")]

    def compile_once(environment: Environment, source: str, *how: Any, **named: Any) -> Any:
        if how or named:
            return Environment.compile(environment, source, *how, **named)
        key = f"{versions} {type(environment).__qualname__} {source}"
        bucket = Bucket(environment, cache.get_cache_key(key), cache.get_source_checksum(source))
        with suppress(Exception):  # a file that power loss left damaged is written anew
            cache.load_bytecode(bucket)
        if bucket.code is None:
            bucket.code = Environment.compile(environment, source)
            with suppress(OSError):  # a full disk does not stop dbt
                cache.set_bucket(bucket)
        return bucket.code

    MacroFuzzEnvironment.compile = compile_once


def register(adapter_class: type) -> None:
    """Set the three members a dbt adapter needs for Python models, and nothing else."""
    adapter_class.python_submission_helpers = property(_submission_helpers)
    adapter_class.default_python_submission_method = SUBMISSION_METHOD
    adapter_class.generate_python_submission_response = _response


def _submission_helpers(adapter: Any) -> dict[str, Any]:
    from dbt_pg_python_models.submission import InProcessJob

    return {SUBMISSION_METHOD: functools.partial(InProcessJob, connections=adapter.connections)}


def _response(_adapter: Any, rows: int) -> AdapterResponse:
    return AdapterResponse(_message=f"COPY {rows}", code="COPY", rows_affected=rows)
