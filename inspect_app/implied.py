"""Foreign keys that an app keeps without declaring them: by a column's name and its values."""

from inspect_app import words
from inspect_app.catalogue import INTEGERS, Column, Reference, Table
from inspect_app.samples import Sampler

MARKS = {"id", "uuid", "uid"}
KEPT = 0.95


def infer(sampler: Sampler) -> None:
    """Add to each table what its columns lead to, such as `project_uuid` to `projects.uuid`."""
    named: dict[str, list[Table]] = {}
    for table in sampler.tables:
        parts = words.tokens(table.name)
        if table.is_readable and table.kind != "view" and parts:
            named.setdefault(parts[-1], []).append(table)
    for table in sampler.tables:
        if not table.is_readable or table.kind == "view":
            continue
        for column in table.columns.values():
            found = _target(sampler, table, column, named)
            if found is not None:
                table.references[column.name] = found


def _target(
    sampler: Sampler, table: Table, column: Column, named: dict[str, list[Table]]
) -> Reference | None:
    *stem, mark = words.tokens(column.name) or [""]
    if mark not in MARKS or not stem or column.name in table.references or column.labels:
        return None
    for other in named.get(stem[-1], []):
        if other is table or words.tokens(other.name)[-len(stem) :] != stem:
            continue
        for key in other.unique_columns:
            is_same = (key.type in INTEGERS) == (column.type in INTEGERS)
            values = sampler.values(table, column.name) if is_same else []
            if values and sampler.share(values, other, key.name) >= KEPT:
                return Reference(other.schema, other.name, key.name)
    return None
