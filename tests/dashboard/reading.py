"""What a page says, read as text: from its HTML, or by a browser from its DOM."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

# Answers what `read_html` answers, from the DOM of a browser.
READ_DOM = """
const text = node => node ? node.textContent.trim().replace(/\\s+/g, ' ') : '';
const cards = {}, tables = {}, providers = [];
for (const card of document.querySelectorAll('li.card')) cards[text(card.querySelector('h3'))] = {
    value: text(card.querySelector('data')), exact: card.querySelector('data').value,
    unit: text(card.querySelector('.unit')), before: text(card.querySelector('.before')),
    source: text(card.querySelector('.source')),
};
for (const table of document.querySelectorAll('table')) tables[table.id.replace('table-', '')] =
    [...table.rows].map(row => [...row.cells].map(text));
for (const line of document.querySelectorAll('.breakdown li')) providers.push(text(line));
return {title: text(document.querySelector('h1')), cards, tables, providers,
    notices: [...document.querySelectorAll('.notice')].map(text),
    trust: text(document.querySelector('.trust'))};
"""


@dataclass
class Node:
    """An element: its tag, attributes, and children or text in order."""

    tag: str
    attributes: dict[str, str]
    children: list = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, blanks made one."""
        parts = [each if isinstance(each, str) else each.raw for each in self.children]
        return " ".join("".join(parts).split())

    @property
    def raw(self) -> str:
        """All text in it."""
        return "".join(each if isinstance(each, str) else each.raw for each in self.children)

    def all(self, tag: str = "", of_class: str = "") -> list["Node"]:
        """Elements in it by tag and class."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                classes = child.attributes.get("class", "").split()
                if (not tag or child.tag == tag) and (not of_class or of_class in classes):
                    found.append(child)
                found += child.all(tag, of_class)
        return found


class _Parser(HTMLParser):
    VOID = ("meta", "link", "input", "wbr", "rect", "path", "circle")

    def __init__(self) -> None:
        super().__init__()
        self.root = Node("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in self.VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.open[-1].children.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in [node.tag for node in self.open]:
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(text: str) -> Node:
    """The elements of a page."""
    parser = _Parser()
    parser.feed(text)
    return parser.root


def read_html(text: str) -> dict:
    """Title, cards by label, tables by name, provider lines, notices and the trust line."""
    page = parse(text)

    def first(nodes: list[Node]) -> str:
        return nodes[0].text if nodes else ""

    cards = {
        first(card.all("h3")): {
            "value": first(card.all("data")),
            "exact": card.all("data")[0].attributes["value"],
            "unit": first(card.all(of_class="unit")),
            "before": first(card.all(of_class="before")),
            "source": first(card.all(of_class="source")),
        }
        for card in page.all("li", "card")
    }
    tables = {
        table.attributes["id"].removeprefix("table-"): [
            [cell.text for cell in row.children if isinstance(cell, Node)]
            for row in table.all("tr")
        ]
        for table in page.all("table")
    }
    lines = [line.text for block in page.all(of_class="breakdown") for line in block.all("li")]
    return {
        "title": first(page.all("h1")),
        "cards": cards,
        "tables": tables,
        "providers": lines,
        "notices": [notice.text for notice in page.all(of_class="notice")],
        "trust": first(page.all(of_class="trust")),
    }
