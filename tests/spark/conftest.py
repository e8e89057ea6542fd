"""A cluster of processes: a master, two workers with an executor each, and a thrift server."""

from collections.abc import Iterator

import pytest

from local_spark.cluster import Cluster, running

# What a cluster may be set to, by which figures would differ: each session of ours sets its own.
HOSTILE = {
    "spark.sql.ansi.enabled": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "true",
    "spark.sql.session.timeZone": "Asia/Kathmandu",
}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Started for the first test that asks for it."""
    with running(HOSTILE) as cluster:
        yield cluster
