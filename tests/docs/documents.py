"""Commands and code of the documents, as a reader copies them."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.app_database import PROJECT

# docs/cleanup.md is run by tests/cleanup.
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(
        str(path.relative_to(PROJECT))
        for path in [*(PROJECT / "docs").glob("*.md"), *(PROJECT / "docs" / "bi").glob("*.md")]
        if path.name != "cleanup.md"
    ),
    "demo/README.md",
    "app/README.md",
    "app_scan/README.md",
    "inspect_app/README.md",
    "dashboard/README.md",
    "dbt_pg_python_models/README.md",
    "bench/README.md",
    "bench/python_models/README.md",
]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(dbt|make|uv|psql|python|\.tools/\S+|export|alter role|create role|mf) ")


@dataclass(frozen=True)
class Snippet:
    """A fenced block (`language` as fenced), or a command in backticks (`language` is empty)."""

    document: str
    section: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}: {self.text.splitlines()[0]}"


def snippets() -> list[Snippet]:
    """Everything that a reader may copy, in order; diagrams aside."""
    return [snippet for document in DOCUMENTS for snippet in snippets_of(document)]


def snippets_of(document: str) -> list[Snippet]:
    """What a reader may copy from one document: blocks, and commands in backticks."""
    found, section = [], ""
    for part in re.split(r"(?m)^(?=#+ )", (PROJECT / document).read_text()):
        section = part.splitlines()[0].lstrip("# ") if part.startswith("#") else section
        for indent, language, body in FENCE.findall(part):
            if language != "mermaid":
                text = "\n".join(line.removeprefix(indent) for line in body.splitlines())
                found.append(Snippet(document, section, language, text))
        for text in re.findall(r"`([^`\n]+)`", FENCE.sub("", part).replace("\\|", "|")):
            if COMMAND.match(text + " "):
                found.append(Snippet(document, section, "", text))
            elif part.startswith("## Schedule it") and not text.startswith("dbt "):
                found.append(Snippet(document, section, "", f"dbt {text}"))
    return found


def commands(document: str, section: str) -> list[str]:
    """The shell lines of a section's blocks, without comments, as they are written."""
    blocks = [
        each.text
        for each in snippets_of(document)
        if each.section == section and each.language == "sh"
    ]
    if not blocks:
        raise AssertionError(f"{document} has no commands under '{section}'")
    lines = [re.sub(r"\s+# .*$", "", line) for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.strip()]


def read(path: str) -> str:
    """A document's text."""
    return Path(PROJECT, path).read_text()
