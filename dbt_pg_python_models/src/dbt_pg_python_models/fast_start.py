"""A faster dbt, for projects that ask for it.

It changes how the whole process renders templates and collects garbage, so it is off unless the
environment variable `DBT_PG_PYTHON_MODELS_FAST_START` is `1`.
"""

import gc
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from dbt_common.clients import agate_helper
from dbt_common.clients.jinja import (
    MacroFuzzEnvironment,
    MacroFuzzTemplate,
    NativeSandboxTemplate,
)
from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket

# Whether this process has frozen what it found; Python's own answer takes a walk through all of it.
_frozen: list[bool] = []


def start_faster() -> None:
    """Do all of it."""
    seek_garbage_less_often()
    keep_compiled_templates()
    look_up_names_of_arguments()
    keep_type_testers()


def seek_garbage_less_often() -> None:
    """Spare Python most looks through what dbt has loaded, none of which goes before dbt ends.

    They take a fifth of a short run. Frozen is only what the first dbt of a process finds: in one
    that runs dbt again and again, later freezes would keep garbage.
    """
    if not _frozen:
        _frozen.append(True)
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

    MacroFuzzEnvironment.compile = compile_once  # type: ignore[assignment, method-assign]


def look_up_names_of_arguments() -> None:
    """Have dbt render a test's arguments as it renders models: a name is looked up when it is used.

    For each argument dbt copies the namespace instead, an object for each macro there is: a quarter
    of a build with hundreds of tests.
    """
    new_context: Any = MacroFuzzTemplate.new_context
    NativeSandboxTemplate.new_context = new_context  # type: ignore[method-assign]


def keep_type_testers() -> None:
    """Have dbt keep what reads a result's columns for the next result of the same columns.

    Each is made with a parser of dates in words, for nothing: a tenth of a build.
    """
    make = agate_helper.build_type_tester

    @lru_cache(maxsize=1000)
    def kept(columns: tuple[str, ...], null_values: tuple[str, ...]) -> Any:
        return make(columns, null_values)

    def build_type_tester(
        text_columns: Iterable[str], string_null_values: Iterable[str] | None = ("null", "")
    ) -> Any:
        return kept(tuple(text_columns), tuple(string_null_values or ()))

    if make.__module__ == agate_helper.__name__:
        agate_helper.build_type_tester = build_type_tester
