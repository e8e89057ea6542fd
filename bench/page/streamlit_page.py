"""The page's figures and tables by Streamlit, for the comparison: `streamlit run` this file.

It reads by the page's own queries and writes the same texts, without the page's charts. Tables are
`st.table`, whose cells are in the DOM; `st.dataframe` draws them on a canvas.
"""

import os
import re

import pandas as pd
import streamlit as st

from dashboard import page
from dashboard.filters import Filters
from dashboard.kept_pages import KEPT_SECONDS, LINKS
from reader.database import Database

MARKED = re.compile(r"([\\`*_{}\[\]()#+.!$|~:<>-])")


@st.cache_resource
def database() -> Database:
    """The reader's connections, shared by all sessions."""
    return Database(os.environ.get("PAYGEN_SCHEMA", "analytics"))


@st.cache_data(ttl=KEPT_SECONDS)
def figures() -> tuple[str, list[str], list[tuple[str, str, str]], list[tuple[str, pd.DataFrame]]]:
    """Title, trust line, headline and tables, kept as long as the page keeps them."""
    with database().snapshot() as snapshot:
        read = page.read(snapshot, Filters(), page.version(snapshot), LINKS)
    cards = [(card.label, card.value, card.change) for card in read.cards]
    tables = [
        (table.query.title, _frame(table))
        for section in read.sections
        for table in section.tables
        if table.rows
    ]
    return read.title, list(read.trust), cards, tables


def _frame(table: page.Table) -> pd.DataFrame:
    """The texts of a table; sparklines are left empty, a second heading of a name gets a blank."""
    headings: list[str] = []
    for column in table.columns:
        heading = _as_text(column.label)
        while heading in headings:
            heading += " "
        headings.append(heading)
    rows = [
        ["" if cell.text.startswith("<svg") else _as_text(str(cell.text)) for cell in row]
        for row in table.rows
    ]
    return pd.DataFrame(rows, columns=headings)


def _as_text(text: str) -> str:
    """Text as Markdown that reads the same."""
    return MARKED.sub(r"\\\1", text)


title, trust, cards, tables = figures()
st.set_page_config(page_title=title, layout="wide")
st.title(title)
st.caption(_as_text(" ".join(trust)))
for column, (label, value, change) in zip(st.columns(5) * 2, cards, strict=False):
    column.metric(_as_text(label), value, change or None)
for heading, frame in tables:
    st.subheader(_as_text(heading))
    st.table(frame)
