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
    constants = _constants(tree.root_node)
    found: list[Use] = []
    for node in _texts(tree.root_node):
        text = _text(node, constants)
        for word in _expanded(text) if node.type in ("word", "concatenation") else [text]:
            found += uses(word, names)
    return found, not tree.root_node.has_error


def _constants(root: Node) -> dict[str, Text]:
    """Texts of variables that the script sets once."""
    constants: dict[str, Text] = {}
    twice = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += reversed(node.children)
        if node.type == "variable_assignment":
            name, value = (node.child_by_field_name(each) for each in ("name", "value"))
            if name.text.decode() in constants or value is None or value.type not in _TEXTS:
                twice.add(name.text.decode())
            else:
                constants[name.text.decode()] = _text(value, constants)
    return {name: text for name, text in constants.items() if name not in twice}


def _expanded(text: Text) -> Iterator[Text]:
    """The words that a shell makes of `a_{b,c}`."""
    first, last = text.value.find("{"), text.value.find("}")
    inside = text.value[first + 1 : last]
    if not 0 <= first < last or "," not in inside:
        yield text
        return
    head, tail = text.part(0, first), text.part(last + 1, len(text.value))
    start = first + 1
    for word in inside.split(","):
        yield from _expanded(head + text.part(start, start + len(word)) + tail)
        start += len(word) + 1


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


def _text(node: Node, constants: dict[str, Text]) -> Text:
    """What a word says, expansions left open that the script does not set; quotes are gone."""
    line = node.start_point.row + 1
    if node.type in _KNOWN_LATER:
        name = node.text.decode().strip("${}")
        known = constants[name].value if name in constants else UNKNOWN
        return Text(known, [line] * len(known))
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
        text += _text(part, constants)
        place = part.end_byte
    return text + _between(source[place - node.start_byte :], node, place)


def _between(source: bytes, node: Node, place: int) -> Text:
    before = node.text[: place - node.start_byte].count(b"\n")
    value = source.decode()
    return Text.of(
        value.strip('"') if node.type == "string" else value, node.start_point.row + 1 + before
    )
