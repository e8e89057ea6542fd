"""Forecasts of generations and vendor cost: today's, and those every past month would have seen.

Method: the logarithm of a provider's daily generations follows a local level with a fixed slope, a
fixed weekly pattern and noise (Harvey 1989, "Forecasting, Structural Time Series Models and the
Kalman Filter", as `UnobservedComponents` in statsmodels), fitted by maximum likelihood to the last
half year. Simulated futures of that model, summed by month, give the mean and the intervals; their
logarithms' normal errors make the intervals lopsided, as those of a quantity above zero are.

Cost = generations x the provider's present cost per generation, so that a price change shows in the
forecast within a week and does not pass for growth. A future price change is not foreseen. The
total is simulated from the sum of all providers at present prices, since providers rise and fall
together, and then moved so that the providers' forecasts add up to it.
"""

import numpy as np
import pandas as pd
from statsmodels.tsa.statespace.structural import UnobservedComponents

TOTAL = "all"
HORIZON_MONTHS = 3  # the month of the forecast and the two after it
FIT_DAYS = 26 * 7  # older days describe another product
MINIMUM_DAYS = 8 * 7  # of history, half of them with generations
PRICE_DAYS = 7  # days with generations that tell the present cost per generation
SIMULATIONS = 1000
INTERVALS = {"80": (0.1, 0.9), "95": (0.025, 0.975)}
BACK_TEST_DAYS = (1, 16)  # past forecasts are made as these days of a month begin


def has_enough_data(history: pd.Series) -> bool:
    """Say whether daily generations reach far enough back, and are frequent enough, to be fitted."""
    recent = history.dropna().tail(MINIMUM_DAYS)
    return len(recent) == MINIMUM_DAYS and (recent > 0).mean() >= 0.5


def simulate(history: pd.Series, days: int) -> np.ndarray:
    """Simulate `days` days after a daily history; shape (days, SIMULATIONS), in its unit."""
    observed = np.log1p(history.dropna().tail(FIT_DAYS).to_numpy())
    model = UnobservedComponents(observed, level="lldtrend", seasonal=7, stochastic_seasonal=False)
    fitted = model.fit(disp=False, cov_type="none", warn_convergence=False)
    futures = fitted.simulate(
        days, anchor="end", repetitions=SIMULATIONS, random_state=np.random.default_rng(0)
    )
    return np.expm1(futures.reshape(days, SIMULATIONS)).clip(min=0)


def present_unit_costs(generations: pd.DataFrame, costs: pd.DataFrame) -> pd.Series:
    """US dollars per generation of each provider, over its last days with generations."""
    recent = generations.where(generations > 0).apply(lambda days: days.dropna().tail(PRICE_DAYS))
    return (costs.where(recent.notna()).sum() / recent.sum()).fillna(0)


def simulate_providers(
    generations: pd.DataFrame, costs: pd.DataFrame, days: int
) -> dict[str, dict[str, np.ndarray]]:
    """Simulated generations and vendor cost by provider and in total, where there is enough data.

    Both frames hold complete days by provider; a provider is null before its first day.
    """
    unit_costs = present_unit_costs(generations, costs)
    futures = {}
    for provider in generations.columns[generations.apply(has_enough_data)]:
        simulated = simulate(generations[provider], days)
        futures[provider] = {
            "generations": simulated,
            "vendor_cost": simulated * unit_costs[provider],
        }

    total = generations.sum(axis=1)
    if has_enough_data(total):
        total_cost = generations.mul(unit_costs).sum(axis=1)
        mean_unit_cost = total_cost.sum() / total.sum()
        in_generations = total_cost / mean_unit_cost if mean_unit_cost else total_cost
        simulated_total = {
            "generations": simulate(total, days),
            "vendor_cost": (
                simulate(in_generations, days) * mean_unit_cost
                if mean_unit_cost
                else np.zeros((days, SIMULATIONS))
            ),
        }
        active = generations.columns[generations.tail(MINIMUM_DAYS).sum() > 0]
        if set(active) <= set(futures):
            simulated_total = {
                measure: add_up(simulated, [futures[provider][measure] for provider in futures])
                for measure, simulated in simulated_total.items()
            }
        futures[TOTAL] = simulated_total
    return futures
