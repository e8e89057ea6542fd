"""Pages as HTML: the templates, the style sheet and the policy that lets nothing else in."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from dashboard import numbers_shown
from dashboard.explanation import Explanation
from dashboard.filters import Filters
from dashboard.page import NAMES_OFFERED, Links, Page
from reader.cells import exact

TEMPLATES = Path(__file__).with_name("templates")


@cache
def environment() -> jinja2.Environment:
    """The templates; every value is escaped unless the page's own code made it as HTML."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    templates.filters.update(prose=prose, breakable=breakable, figure=figure, exact=exact)
    templates.filters.update(name=numbers_shown.figure_name)
    return templates


def prose(sentence: str) -> Markup:
    """A sentence with what stands between backticks as code."""
    parts = sentence.split("`")
    return Markup().join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def breakable(name: str) -> Markup:
    """A mart's column, which goes to the next line after its mart, or else after any word."""
    parts = re.split(r"(?<=\.)", name)
    return Markup().join(
        Markup("<span>{}</span>").format(Markup("<wbr>").join(re.split(r"(?<=_)", part)))
        for part in parts
    )


def figure(value: Any) -> str:
    """A figure with all its digits."""
    return numbers_shown.show(value, "count")


@cache
def style() -> str:
    """The style sheet, as it stands in each page."""
    return re.sub(r"\n\s*", "\n", (TEMPLATES / "style.css").read_text().strip())


@cache
def policy(of_files: bool = False) -> str:
    """A content security policy: this style sheet, this form, and nothing from anywhere."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    rules = ["default-src 'none'", f"style-src 'sha256-{digest}'", "img-src data:"]
    rules += (
        ["form-action 'none'"] if of_files else ["form-action 'self'", "frame-ancestors 'none'"]
    )
    return "; ".join([*rules, "base-uri 'none'"])


def render_page(
    page: Page,
    links: Links,
    other_pages: list[tuple[str, str]] | None = None,
    this_page: str = "",
) -> str:
    """One page of figures.

    Args:
        page: what it says.
        links: where its links lead.
        other_pages: of files: names and addresses of all of them.
        this_page: of files: its own address.
    """
    return (
        environment()
        .get_template("page.html")
        .render(
            page=page,
            links=links,
            style=_raw(style()),
            policy=None if links.has_form else _raw(policy(of_files=True)),
            names_offered=NAMES_OFFERED,
            unfiltered=Filters(page.period.filters.month),
            other_pages=other_pages or [],
            this_page=this_page,
        )
    )


def render_explanation(explanation: Explanation) -> str:
    """Why one figure is what it is."""
    return (
        environment()
        .get_template("explanation.html")
        .render(
            explanation=explanation,
            asked=explanation.asked,
            numbers=numbers_shown,
            home=f"./{Filters(explanation.asked.month).address()}",
            style=_raw(style()),
            policy=None,
        )
    )


def render_message(heading: str, sentence: str, home: str | None = None) -> str:
    """One sentence in place of figures."""
    return (
        environment()
        .get_template("message.html")
        .render(heading=heading, sentence=sentence, home=home, style=_raw(style()), policy=None)
    )


def _raw(text: str) -> Markup:
    return Markup(text)
