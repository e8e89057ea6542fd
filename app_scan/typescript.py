"""TypeScript, TSX and JavaScript, read by tree-sitter: strings, templates, properties and types."""

from collections.abc import Iterator

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from app_scan.retired import Names
from app_scan.sql import scan_words
from app_scan.text import UNKNOWN, Text, uses
from app_scan.uses import Use

_LANGUAGES = {
    "typescript": Language(tree_sitter_typescript.language_typescript()),
    "tsx": Language(tree_sitter_typescript.language_tsx()),
}
_IDENTIFIERS = {
    *("identifier", "property_identifier", "shorthand_property_identifier"),
    *("shorthand_property_identifier_pattern", "type_identifier"),
}
_TYPES = {"property_signature", "interface_declaration", "type_alias_declaration"}


def scan_typescript(source: str, names: Names, dialect: str) -> tuple[list[Use], bool]:
    """All uses but comments, and whether the whole of it was understood."""
    tree = Parser(_LANGUAGES[dialect]).parse(source.encode())
    constants = _constants(tree.root_node)
    found: list[Use] = []
    for node in _nodes(tree.root_node):
        if text := _text(node, constants):
            found += _uses_of_text(node, text, names)
        elif node.type in _IDENTIFIERS:
            found += _uses_of_identifier(node, names)
    return found, not tree.root_node.has_error


def scan_json(source: str, names: Names) -> tuple[list[Use], bool]:
    """All uses in the keys and values of a JSON document, which is an expression of JavaScript."""
    found, is_whole = scan_typescript(f"({source}\n)", names, "typescript")
    return found, is_whole


def _nodes(root: Node) -> Iterator[Node]:
    """All nodes, outermost first."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def _uses_of_text(node: Node, text: Text, names: Names) -> Iterator[Use]:
    if node.type == "regex_pattern":
        yield from (use.at(text.line(0), is_sure=False) for use in scan_words(text.value, names))
        return
    method = _method(node)
    is_type = node.parent is not None and node.parent.type == "literal_type"
    for use in uses(text, names):
        if is_type:
            yield Use(use.line, use.kind, use.name, "type", use.is_sure)
        elif use.is_exact and use.kind == "function" and method == "rpc":
            yield Use(use.line, use.kind, use.name, "call", arguments=_members(node))
        else:
            yield use
    name = text.value.strip()
    if names.kind_of(name) == "dependent" and method in ("rpc", "from"):
        yield Use(text.line(0), "dependent", name, "call" if method == "rpc" else "query")


def _uses_of_identifier(node: Node, names: Names) -> Iterator[Use]:
    name = node.text.decode()
    kind = names.kind_of(name)
    if kind in ("", "dependent"):
        return
    line = node.start_point.row + 1
    if _is_in_type(node):
        yield Use(line, kind, name, "type")
    elif kind in ("table", "function"):
        is_property = node.type == "property_identifier"
        yield Use(line, kind, name, "query" if kind == "table" else "call", is_sure=is_property)
    else:
        yield Use(line, kind, name, "value")


def _is_in_type(node: Node) -> bool:
    parent = node.parent
    return parent is not None and parent.type in _TYPES


def _method(node: Node) -> str:
    """The method or function that a text is the first argument of."""
    arguments = node.parent
    if arguments is None or arguments.type != "arguments" or arguments.named_children[0] != node:
        return ""
    function = arguments.parent.child_by_field_name("function")
    if function is None:
        return ""
    name = function.child_by_field_name("property") or function
    return name.text.decode()


def _members(node: Node) -> int:
    """How many members the object has that follows a text in a call; -1 where there is none."""
    others = node.parent.named_children[1:]
    if not others or others[0].type != "object":
        return -1
    members = [each for each in others[0].named_children if each.type != "comment"]
    if any(each.type == "spread_element" for each in members):
        return -1
    return len(members)


def _constants(root: Node) -> dict[str, Text]:
    """Texts that a name stands for in the whole file."""
    constants: dict[str, Text] = {}
    twice = set()
    for node in _nodes(root):
        if node.type != "variable_declarator" or node.parent.children[0].type != "const":
            continue
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if value is None or name.type != "identifier":
            continue
        for path, member in _named_values(name.text.decode(), value):
            text = _text(member, constants)
            if text:
                if path in constants:
                    twice.add(path)
                constants[path] = text
    return {name: text for name, text in constants.items() if name not in twice}


def _named_values(name: str, value: Node) -> Iterator[tuple[str, Node]]:
    """A value by its name, or the members of an object by theirs, as in `names.prefix`."""
    if value.type in ("as_expression", "satisfies_expression"):
        value = value.named_children[0]
    if value.type != "object":
        yield name, value
        return
    for pair in value.named_children:
        if pair.type == "pair":
            key = pair.child_by_field_name("key").text.decode().strip("\"'")
            yield from _named_values(f"{name}.{key}", pair.child_by_field_name("value"))


def _text(node: Node, constants: dict[str, Text]) -> Text | None:
    """The text of a string, a template, a pattern or a sum of them; None where it is no text."""
    if node.type == "regex_pattern":
        return Text.of(node.text.decode(), node.start_point.row + 1)
    if node.type == "call_expression":
        return _joined(node, constants)
    if node.type in ("string", "template_string"):
        text = Text("", [])
        for child in node.named_children:
            if child.type == "template_substitution":
                text += _inserted(child, constants)
            else:
                text += Text.of(_unescaped(child), child.start_point.row + 1)
        return text
    if node.type == "binary_expression" and node.child_by_field_name("operator").type == "+":
        sides = [node.child_by_field_name(side) for side in ("left", "right")]
        parts = [_text(side, constants) or _constant(side, constants) for side in sides]
        if not any(parts):
            return None
        return _or_unknown(parts[0], sides[0]) + _or_unknown(parts[1], sides[1])
    return None


def _joined(call: Node, constants: dict[str, Text]) -> Text | None:
    """What `'a'.concat('b')` and `['a', 'b'].join('_')` say; None for any other call."""
    function, arguments = (call.child_by_field_name(each) for each in ("function", "arguments"))
    if function is None or function.type != "member_expression" or arguments is None:
        return None
    method = function.child_by_field_name("property").text.decode()
    owner, given = function.child_by_field_name("object"), arguments.named_children
    separator = Text("", [])
    if method == "concat" and (_text(owner, constants) or _constant(owner, constants)):
        parts = [owner, *given]
    elif method == "join" and owner.type == "array" and owner.named_children:
        parts = owner.named_children
        separator = _or_unknown(_text(given[0], constants), given[0]) if given else separator
    else:
        return None
    text = Text("", [])
    for place, part in enumerate(parts):
        known = _text(part, constants) or _constant(part, constants)
        text = (text + separator if place else text) + _or_unknown(known, part)
    return text


def _unescaped(node: Node) -> str:
    value = node.text.decode()
    if node.type != "escape_sequence":
        return value
    if value[1] in "ux":
        code = int(value[2:].strip("{}"), 16)
        return chr(code) if code < 0xD800 else UNKNOWN
    return {"\\n": " ", "\\t": " ", "\\r": " "}.get(value, value[1:])


def _inserted(node: Node, constants: dict[str, Text]) -> Text:
    (inner,) = node.named_children[:1] or [node]
    return _or_unknown(_text(inner, constants) or _constant(inner, constants), node)


def _constant(node: Node, constants: dict[str, Text]) -> Text | None:
    is_name = node.type in ("identifier", "member_expression")
    text = constants.get(node.text.decode()) if is_name else None
    return Text(text.value, [node.start_point.row + 1] * len(text.value)) if text else None


def _or_unknown(text: Text | None, node: Node) -> Text:
    return text or Text.of(UNKNOWN, node.start_point.row + 1)
