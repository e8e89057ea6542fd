"""Forecasts of generations and vendor cost, today's and past ones; see `paygen_models.forecast`."""

from paygen_models.forecast import checked_budget, forecast_costs


def model(dbt, session):
    """Table of forecasts, past and present."""
    usage = dbt.ref("int_usage_by_provider_day")
    budget = checked_budget(dbt.config.meta_get("monthly_budget_usd"))
    return forecast_costs(usage, budget)
