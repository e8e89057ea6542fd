"""What can go wrong between a reader and the marts, each as one sentence with the next step."""

import sys

import psycopg2
from psycopg2 import errors

SENTENCE_LENGTH = 400
BUILD = "build the marts with `dbt build`"


class Problem(Exception):
    """A sentence for the reader, and the HTTP status that goes with it."""

    def __init__(self, sentence: str, status: int = 503):
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


class NotFound(Problem):
    """The address asks for something that is not there."""

    def __init__(self, sentence: str):
        super().__init__(sentence, 404)


class BadRequest(Problem):
    """The address asks in a form that is not understood."""

    def __init__(self, sentence: str):
        super().__init__(sentence, 400)


class MissingMart(Problem):
    """A mart is not there: nothing has built it yet."""


# A command that meets one of these ends with a sentence instead of a trace.
ENDINGS = (Problem, psycopg2.Error, KeyboardInterrupt)


def told(error: BaseException, left: str) -> int:
    """Say what ended a command, and what that leaves; answer the exit code.

    Args:
        error: one of `ENDINGS`, or of files.
        left: what is so now, such as `nothing was written`.
    """
    match error:
        case Problem():
            sentence = error.sentence
        case psycopg2.Error():
            sentence = f"PostgreSQL said: {shown(str(error), 240)}; {left}."
        case KeyboardInterrupt():
            sentence = f"Interrupted: {left}."
        case _:
            sentence = f"The files cannot be written ({error}): {left}."
    print(sentence, file=sys.stderr)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def shown(text: str, length: int = 60) -> str:
    """What somebody wrote, short enough to be repeated to them."""
    text = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    return text if len(text) <= length else text[: length - 1] + "…"


def of_marts(error: psycopg2.Error, marts: tuple[str, ...], schema: str) -> Problem | None:
    """Say what is wrong with the marts; None for what is no matter of the marts."""
    names = " or ".join(f"{schema}.{mart}" for mart in marts)
    message = shown((error.diag.message_primary or "").replace('"', ""), 120)
    if isinstance(error, errors.UndefinedTable | errors.InvalidSchemaName):
        return MissingMart(
            f"{message.removeprefix('relation ')}: {BUILD} into the schema {schema}."
        )
    if isinstance(error, errors.UndefinedColumn | errors.DatatypeMismatch):
        return Problem(
            f"{names} was built by an older paygen ({message}): "
            "build it again with `dbt build --full-refresh`."
        )
    if isinstance(error, errors.InsufficientPrivilege):
        return Problem(
            f"This role may not read {names} ({message}): add it to `reader_roles` in"
            " dbt_project.yml and build again."
        )
    if isinstance(error, errors.QueryCanceled | errors.LockNotAvailable):
        return Problem(
            f"{names} took too long to read and was given up ({message}): try again in a moment, or"
            " with a filter."
        )
    return None


def of_server(error: psycopg2.Error) -> Problem:
    """Say that no server answers, or why it does not let the reader in."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = shown(lines[0] if lines else "no reason given", 240).rstrip(".")
    return Problem(
        f"PostgreSQL does not answer ({reason}): start it, or set PGHOST, PGPORT, PGUSER and"
        " PGDATABASE to where the marts are."
    )
