"""The file of a mapping: each line with its reason, written aside and put in place at once."""

import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from inspect_app.problems import Problem
from inspect_app.proposal import Mapped, Proposal

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*")
NOT_A_WORD = {"yes", "no", "on", "off", "true", "false", "null", "y", "n", "none"}
WIDTH = 60
HEAD = """\
# yaml-language-server: $schema=schema.json
# What `make inspect` read from the database: each line has its reason and how sure it is.
# Edit what is wrong and try it with `make inspect CHECK=1`. docs/mapping.md has the form.
version: 2

sources:
  - name: app
    overrides: paygen
"""


def text(proposal: Proposal) -> str:
    """The file's text."""
    schema = next(each.table.schema for each in proposal.tables if each.table)
    lines = [f"    schema: {scalar(schema)}"]
    if proposal.values:
        lines += ["    config:", "      meta:", "        values:"]
    for name, rows in proposal.values.items():
        lines.append(f"          {name}:")
        lines += [
            _commented(
                "            - {"
                + ", ".join(f"{key}: {scalar(value)}" for key, value in row.row.items())
                + "}",
                row.reason,
                row.confidence,
            )
            for row in rows
        ]
    lines.append("    tables:")
    for mapped in proposal.tables:
        lines += _table(mapped, schema)
    if proposal.untold:
        lines.append("")
        lines.append("# What could not be told:")
        lines += [f"# - {each}" for each in proposal.untold]
    return HEAD + "\n".join(lines) + "\n"


def _table(mapped: Mapped, schema: str) -> list[str]:
    lines = [f"      - name: {mapped.role}"]
    if mapped.table is None:
        lines.append(_commented("        meta: {missing: true}", mapped.reason, mapped.confidence))
        return lines
    if mapped.table.query:
        lines.append(_commented("        meta:", mapped.reason, mapped.confidence))
        lines.append("          rows: |")
        lines += [f"            {line}" for line in mapped.table.query.split("\n")]
    else:
        lines.append(
            _commented(
                f"        identifier: {scalar(mapped.table.name)}", mapped.reason, mapped.confidence
            )
        )
        lines.append("        meta:")
        if mapped.table.schema != schema:
            lines.append(f"          schema: {scalar(mapped.table.schema)}")
    lines.append("          columns:")
    for line in mapped.lines:
        value = "null" if line.value is None else scalar(line.value)
        if line.expression:
            value = f"{{expression: {json.dumps(line.expression, ensure_ascii=False)}}}"
        lines.append(
            _commented(f"            {line.column}: {value}", line.reason, line.confidence)
        )
    return lines


def _commented(line: str, reason: str, confidence: str) -> str:
    clean = " ".join(reason.split())
    return f"{line.ljust(WIDTH)}  # {clean} ({confidence})"


def scalar(value: Any) -> str:
    """A value as YAML reads it back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) or value is None:
        return json.dumps(value)
    is_plain = PLAIN.fullmatch(value) and value.lower() not in NOT_A_WORD
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def refuse_existing(path: Path, force: bool) -> None:
    """Stop where a mapping is there already.

    Raises:
        Problem: it is, and `--force` was not given.
    """
    if path.exists() and not force:
        raise Problem(
            f"{path} is there already, and nothing was written: try it with --check, write it anew"
            " with --force, or another one with --to."
        )


def write(path: Path, content: str) -> None:
    """Write the file beside its place and rename it.

    Raises:
        Problem: it cannot be written.
    """
    aside = path.with_name(f".{path.name}-{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("x", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as error:
        raise Problem(
            f"{path} cannot be written ({error.strerror}): name another file with --to."
        ) from error
    finally:
        aside.unlink(missing_ok=True)
