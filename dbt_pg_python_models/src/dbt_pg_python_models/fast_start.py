"""A faster start of dbt, for projects that ask for it.

It changes how the whole process compiles templates and collects garbage, so it is off unless the
environment variable `DBT_PG_PYTHON_MODELS_FAST_START` is `1`.
"""

import gc
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from dbt_common.clients.jinja import MacroFuzzEnvironment
from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket

# Whether this process has frozen what it found; Python's own answer takes a walk through all of it.
_frozen: list[bool] = []


def start_faster() -> None:
    """Do both: collect garbage less often, and keep compiled templates."""
    seek_garbage_less_often()
    keep_compiled_templates()


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
