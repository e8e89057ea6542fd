"""Shell scripts, read by tree-sitter: words, strings and here-documents."""

from collections.abc import Iterator

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from app_scan.retired import Names
from app_scan.text import UNKNOWN, Text, uses
from app_scan.uses import Use

_LANGUAGE = Language(tree_sitter_bash.language())
_TEXTS = {
    *("word", "string", "raw_string", "ansi_c_string", "concatenation", "heredoc_body"),
    "extglob_pattern",
}
_KNOWN_LATER = {"simple_expansion", "expansion", "command_substitution", "arithmetic_expansion"}


def scan_shell(source: str, names: Names) -> tuple[list[Use], bool]:
    """All uses but comments, and whether the whole of it was understood."""
    tree = Parser(_LANGUAGE).parse(source.encode())
    found: list[Use] = []
    for node in _texts(tree.root_node):
        found += uses(_text(node), names)
    return found, not tree.root_node.has_error


def _texts(root: Node) -> Iterator[Node]:
    """Whole words and strings, and those in substitutions inside of them."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type in _TEXTS:
            yield node
            waiting += [each for each in _inside(node) if each.type in _KNOWN_LATER]
        else:
            waiting += reversed(node.children)


def _inside(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        if child.type not in _KNOWN_LATER:
            yield from _inside(child)


def _text(node: Node) -> Text:
    """What a word says, expansions left open; quotes are gone."""
    line = node.start_point.row + 1
    if node.type in _KNOWN_LATER:
        return Text.of(UNKNOWN, line)
    value = node.text.decode()
    if node.type == "raw_string":
        return Text.of(value[1:-1], line)
    if node.type == "ansi_c_string":
        return Text.of(value[2:-1], line)
    parts = [child for child in node.children if child.is_named]
    if not parts:
        return Text.of(value.strip('"') if node.type == "string" else value, line)
    text, source, place = Text("", []), node.text, node.start_byte
    for part in parts:
        text += _between(
            source[place - node.start_byte : part.start_byte - node.start_byte], node, place
        )
        text += _text(part)
        place = part.end_byte
    return text + _between(source[place - node.start_byte :], node, place)


def _between(source: bytes, node: Node, place: int) -> Text:
    before = node.text[: place - node.start_byte].count(b"\n")
    value = source.decode()
    return Text.of(
        value.strip('"') if node.type == "string" else value, node.start_point.row + 1 + before
    )
