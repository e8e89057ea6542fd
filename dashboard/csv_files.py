"""Tables as CSV: exact figures, and no cell that a spreadsheet would take for a formula."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from dashboard.queries import Column
from reader.cells import cell

LINES_AT_ONCE = 500


def lines(columns: Iterable[Column], rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A header of column names, then a line for each row; some lines at a time."""
    columns = list(columns)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for number, row in enumerate(rows, 1):
        writer.writerow([cell(row.get(column.name)) for column in columns])
        if number % LINES_AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
