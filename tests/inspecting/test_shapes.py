"""What is proposed of each shape of database, line by line."""

from pathlib import Path

import pytest

from local_postgres.server import Server
from tests.inspecting import shapes


@pytest.mark.parametrize("path", shapes.EVERY, ids=lambda path: path.stem)
def test_proposal_needs_no_edit(server: Server, path: Path) -> None:
    shape = shapes.read(path)
    proposal = shapes.proposal_of(shapes.make(server, shape["sql"]))
    assert shapes.differences(shape, proposal) == []
