"""Scored days of usage; see `paygen_models.anomalies`."""

from paygen_models.anomalies import score_usage


def model(dbt, session):
    """Table of scored days."""
    usage = dbt.ref("int_usage_by_provider_day")
    return score_usage(usage)
