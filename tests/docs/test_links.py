"""Links of the documents lead to files and headings that exist; the glossary's terms are used."""

import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.app_database import PROJECT
from tests.docs.documents import FENCE, read

GLOSSARY = "docs/glossary.md"
LINK = re.compile(r"\[((?:`[^`]*`|[^\[\]])+)\]\(([^()\s]+)\)")
TERM = re.compile(r"^- \*\*(.+?)\*\*(.+?)(?=^- \*\*|^#|\Z)", re.MULTILINE | re.DOTALL)
# What says nothing of whether the project uses a word.
NO_USE = (GLOSSARY, "CONTRIBUTING.md", "SECURITY.md", "uv.lock", "tests/", ".github/", "seeds/")


@cache
def tracked() -> list[str]:
    """The project's files, those that are not committed yet included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [name for name in listed.split("\0") if name and (PROJECT / name).is_file()]


DOCUMENTS = [name for name in tracked() if name.endswith(".md")]


def prose(document: str) -> str:
    """A document's text without its blocks of code."""
    return FENCE.sub("", read(document))


def anchors(document: str) -> set[str]:
    """What GitHub makes of a document's headings; the second of a name has `-1` at its end."""
    found: dict[str, int] = {}
    for heading in re.findall(r"(?m)^#+ +(.+?) *$", prose(document)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        count = found[slug] = found.get(slug, -1) + 1
        if count:
            found[f"{slug}-{count}"] = 0
    return set(found)


def links(document: str, text: str) -> list[tuple[str, Path, str]]:
    """Links to other places of the project: the text, the file, and the anchor or nothing."""
    found = []
    for label, address in LINK.findall(text):
        if not re.match(r"[a-z]+:", address):
            path, _, anchor = unquote(address).partition("#")
            file = (PROJECT / document).parent / path if path else PROJECT / document
            found.append((label, file.resolve(), anchor))
    return found


def terms() -> dict[str, str]:
    """The glossary's terms and what is said of each."""
    return dict(TERM.findall(read(GLOSSARY)))


def plain(text: str) -> str:
    """Words apart by one blank: `row_digest`, `row-digest` and `row digest` are one term."""
    return re.sub(r"[\s_\-`]+", " ", text).lower()


@cache
def project_words() -> str:
    """All that the project says elsewhere."""
    return plain(
        "\n".join(
            (PROJECT / name).read_text(errors="ignore")
            for name in tracked()
            if not name.startswith(NO_USE)
        )
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """Each relative link names a file of the project, and a heading that this file has."""
    broken = []
    for label, file, anchor in links(document, prose(document)):
        if not file.exists() or not file.is_relative_to(PROJECT):
            broken.append(f"{label}: there is no {file}")
        elif anchor and anchor not in anchors(str(file.relative_to(PROJECT))):
            broken.append(f"{label}: {file.name} has no heading #{anchor}")
    assert broken == []


def test_headings_and_links_are_read_as_github_reads_them() -> None:
    """Underscores stay in an anchor, backticks and commas go; a link may lead to a folder."""
    assert {
        "8-purge-when-purge_after_days-are-over",
        "the-variable-cleanup",
        "the-way-in-staging-first-and-then-in-production",
    } <= anchors("docs/cleanup.md")
    assert links("README.md", "| [`a[0]`](docs/) | [b](https://x.org) [c](#d) |") == [
        ("`a[0]`", PROJECT / "docs", ""),
        ("c", PROJECT / "README.md", "d"),
    ]


def test_the_glossary_has_terms() -> None:
    """Each once, in bold, and no bold words but the terms."""
    found = re.findall(r"\*\*(.+?)\*\*", read(GLOSSARY))
    assert len(found) > 40
    assert found == list(terms())


@pytest.mark.parametrize("term", terms())
def test_a_term_is_defined_linked_and_used(term: str) -> None:
    """One to three sentences; a link to where it matters; a word that the project uses."""
    definition = terms()[term]
    sentences = re.findall(r"\.(?=\s|$)", LINK.sub("", definition))
    assert 1 <= len(sentences) <= 3, definition
    targets = links(GLOSSARY, definition)
    assert targets, "a term links to the column, model or page where it matters"
    for label, file, _ in targets:
        if label.startswith("`"):
            name = label.strip("`")
            assert name in {file.name, file.stem} or re.search(
                rf"(?<!\w){re.escape(name)}(?!\w)", file.read_text()
            ), f"{file.name} does not name {name}"
    assert re.search(rf"(?<!\w){re.escape(plain(term))}s?(?!\w)", project_words()), (
        f"nothing else says '{term}'"
    )


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        *(f"docs/{name}.md" for name in ("architecture", "cleanup", "operations", "variables")),
    ],
)
def test_a_page_leads_to_the_glossary(document: str) -> None:
    """Where a page first leans on one of its words."""
    assert PROJECT / GLOSSARY in [file for _, file, _ in links(document, prose(document))]
