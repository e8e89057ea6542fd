"""What a user is told when a Python model cannot go on."""

import linecache
import traceback

from dbt_common.exceptions import DbtRuntimeError


class PythonModelError(DbtRuntimeError):
    """A Python model, or what it returned, is at fault."""


def describe_exception(error: BaseException, model_file: str) -> str:
    """Type and text of `error`, and the lines of the model that led to it.

    Args:
        error: what the model raised.
        model_file: the name under which the model was compiled.
    """
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == model_file
    ]
    lines = [f"{type(error).__name__}: {error}"]
    lines += [f"  at {model_file}:{frame.lineno}: {frame.line}" for frame in reversed(frames)]
    if isinstance(error, SyntaxError) and error.filename == model_file:
        lines.append(f"  at {model_file}:{error.lineno}")
    if isinstance(error, ModuleNotFoundError):
        lines.append(
            f"The library {error.name!r} is not installed beside dbt. Get it with "
            f"`uv add {error.name}` (or `pip install {error.name}`, where that is its name)."
        )
    return "\n".join(lines)


def remember_source(model_file: str, code: str) -> None:
    """Let tracebacks quote the lines of a model that was compiled from memory."""
    linecache.cache[model_file] = (len(code), None, code.splitlines(keepends=True), model_file)
