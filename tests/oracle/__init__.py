"""The contract's numbers computed event by event in plain Python, to hold the models against.

Written from `docs/rules.md` and `docs/decisions/0001-readings-of-the-contract.md`, never from the
models' SQL: where the two differ, one of them is wrong.
"""

from tests.oracle.cleaning import AppTables, Options
from tests.oracle.marts import answers

__all__ = ["AppTables", "Options", "answers"]
