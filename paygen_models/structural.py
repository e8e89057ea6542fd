"""Futures of one daily series, simulated from a structural time series model.

The logarithm of the open days' values follows a local level with a slope, a fixed weekly pattern
and noise (Harvey 1989, "Forecasting, Structural Time Series Models and the Kalman Filter", as
`UnobservedComponents` in statsmodels), fitted by maximum likelihood to the last half year. Closed
days are unknown to the fit; futures are closed as often as the weekday was (`closures`).

Two things keep a slope from being carried too far. It is damped (Gardner and McKenzie 1985,
"Forecasting Trends in Time Series"): growth slows down sooner or later, and nobody knows when. And
a slope that the last two or four weeks contradict is cut back to theirs: growth has ended, or a
launch's spike is over.
"""

import numpy as np
import pandas as pd
from statsmodels.tsa.statespace.mlemodel import MLEResults
from statsmodels.tsa.statespace.structural import UnobservedComponents

from paygen_models.closures import closed_days, open_shares

FIT_DAYS = 26 * 7  # older days describe another product
DAMPING = 0.98  # of the slope each day: half of it is left after five weeks
HALVES = (14, 7)  # days; a fortnight, or a week, and the one before it say what the slope is now
CONTRADICTION = 2.0  # standard errors between the fitted slope and that of the last weeks
MOST_GROWTH = 4  # times the busiest day; nothing that a fit says beyond is believed
TOLERANCE = {"factr": 1e10, "pgtol": 1e-4}  # of L-BFGS; the fit is the same to six digits
SLOPE = 1  # its place in the model's state
SIMULATIONS = 999  # odd, so that the median is one of them


def simulate(history: pd.Series, days: int) -> np.ndarray:
    """Simulate `days` days after a daily history; shape (days, SIMULATIONS), in its unit."""
    history = history.dropna().tail(FIT_DAYS)
    closed = closed_days(history)
    observed = np.log1p(history.mask(closed)).to_numpy()
    model = UnobservedComponents(observed, level="lldtrend", seasonal=7, stochastic_seasonal=False)
    found = model.fit(disp=False, warn_convergence=False, return_params=True, **TOLERANCE)
    fitted = model.filter(found, cov_type="none")
    random = np.random.default_rng(0)
    highest = np.log1p(MOST_GROWTH * history.max())
    values: np.ndarray = np.expm1(futures_of(fitted, days, random).clip(0, highest))
    if closed.any():
        weekdays = (history.index[-1].day_of_week + 1 + np.arange(days)) % 7
        values *= random.random(values.shape) < open_shares(closed)[weekdays][:, None]
    return values


def futures_of(fitted: MLEResults, days: int, random: np.random.Generator) -> np.ndarray:
    """Run a fitted model's state-space recursion forward; shape (days, SIMULATIONS), logarithms.

    All paths and days at once: `fitted.simulate` takes them one by one, a hundred times as long.
    """
    system = fitted.model.ssm
    # A weekday that was never open has no weekly effect yet: its variance is all but infinite.
    state = random.multivariate_normal(
        fitted.predicted_state[:, -1],
        fitted.predicted_state_cov[:, :, -1],
        SIMULATIONS,
        check_valid="ignore",
    ).T
    state[SLOPE] += present_slope(fitted) - fitted.predicted_state[SLOPE, -1]
    transition = system["transition"].copy()
    transition[SLOPE, SLOPE] = DAMPING
    loadings = [system["design"][0]]
    for _ in range(days - 1):
        loadings.append(loadings[-1] @ transition)
    noise_scale, shock_scale = np.sqrt([system["obs_cov", 0, 0], system["state_cov", 0, 0]])
    noise = random.normal(scale=noise_scale, size=(days, SIMULATIONS))
    steps = random.normal(scale=shock_scale, size=(days, SIMULATIONS))
    steps[0] = 0  # the predicted state is that of the first day
    paths: np.ndarray = np.array(loadings) @ state + steps.cumsum(axis=0) + noise
    return paths


def present_slope(fitted: MLEResults) -> float:
    """Growth of the logarithm a day: the fit's, or less where the last weeks contradict it.

    Only noise counts as error: a fit takes growth that has ended for the level's wandering.
    """
    slope: float = fitted.predicted_state[SLOPE, -1]
    noise = fitted.model.ssm["obs_cov", 0, 0]
    for days in HALVES:
        last = fitted.model.endog[-2 * days :, 0].reshape(2, days)
        known = (~np.isnan(last)).sum(axis=1)
        if not known.all():
            continue
        before, after = np.nanmean(last, axis=1)
        recent = (after - before) / days
        error = np.sqrt(noise * (1 / known).sum()) / days
        if abs(recent - slope) > CONTRADICTION * error:
            low, high = sorted((0.0, slope))
            slope = min(max(recent, low), high)
    return slope
