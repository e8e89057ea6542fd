"""What is proposed of each shape of database, line by line."""

from pathlib import Path

import pytest

from local_postgres.server import Server
from tests.inspecting import shapes

# Of the shapes of public apps those that ask for something of their own.
IN_THE_GATE = {
    *("accounts_of_users_and_teams", "add_and_subtract", "beta_keys_and_jobs"),
    *("credits_by_quality", "definitions_and_statuses", "logos_and_purchases", "positive_is_spent"),
    *("double_entry", "images_and_videos_apart", "jobs_and_bought_credits"),
    *("payment_provider_on_the_ledger", "trainings_images_videos"),
}


def marks(path: Path) -> list[pytest.MarkDecorator]:
    """Whether the gate runs a shape."""
    is_public = "source" in shapes.read(path)
    return [pytest.mark.long] if is_public and path.stem not in IN_THE_GATE else []


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem, marks=marks(path)) for path in shapes.EVERY]
)
def test_proposal_needs_no_edit(server: Server, path: Path) -> None:
    shape = shapes.read(path)
    proposal = shapes.proposal_of(shapes.make(server, shapes.sql_of(shape)))
    assert shapes.differences(shape, proposal) == []
