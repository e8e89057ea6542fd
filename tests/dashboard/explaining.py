"""Cells of marts, drawn at random, and what their rows add up to by exact arithmetic of our own."""

from collections import Counter
from decimal import ROUND_HALF_UP, Context, Decimal
from random import Random
from typing import Any

from dashboard import explanation
from reader.database import Row, Snapshot
from tests.app_database import AppDatabase

EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


def draw_cells(database: AppDatabase, count: int, seed: int) -> list[tuple[explanation.Asked, Any]]:
    """Cells with their values: each figure of each mart about as often, of any row."""
    random = Random(seed)
    figures = database.query(
        "select distinct mart, figure, cell_keys from analytics.figure_parts order by 1, 2"
    )
    rows = {
        mart: database.query(f"select * from analytics.{mart}")
        for mart in sorted({figure["mart"] for figure in figures})
    }
    cells = []
    for number in range(count):
        figure = figures[number % len(figures)] if number < len(figures) else random.choice(figures)
        row = random.choice(rows[figure["mart"]])
        names = {
            name: row[key]
            for key, name in explanation.NAMES.items()
            if key in figure["cell_keys"].split(", ")
        }
        asked = explanation.Asked(figure["mart"], figure["figure"], **names)
        cells.append((asked, row[figure["figure"]]))
    return cells


def figure_of_rows(snapshot: Snapshot, asked: explanation.Asked, overview: Row, like: Any) -> Any:
    """What the rows of a cell's file give, rounded as the cell; no row may be there twice."""
    rows = list(explanation.file_rows(snapshot, asked, overview))
    places = Counter((row["side"], row["measure"], row["row_id"]) for row in rows)
    assert places.total() == len(places), f"{asked} counts a row twice"
    sums = {"value": Decimal(0), "divisor": Decimal(0)}
    for row in rows:
        sums[row["side"]] = EXACT.add(sums[row["side"]], Decimal(row["contributes"]))
    is_divided = "rate" in asked.figure or asked.figure.startswith(("avg_", "cost_per_", "share_"))
    if is_divided:
        if not sums["divisor"]:
            return None
        answer = EXACT.divide(sums["value"], sums["divisor"])
    elif asked.figure.startswith("p") and not rows:
        return None
    else:
        answer = sums["value"]
    scale = Decimal(1).scaleb(Decimal(like or 0).as_tuple().exponent)
    return answer.quantize(scale, context=EXACT) if is_divided or scale < 1 else answer
