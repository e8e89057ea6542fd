"""Forecasts of generations and vendor cost: today's, and those every past month would have seen.

Method: the logarithm of a provider's daily generations follows a local level with a fixed slope, a
fixed weekly pattern and noise (Harvey 1989, "Forecasting, Structural Time Series Models and the
Kalman Filter", as `UnobservedComponents` in statsmodels), fitted by maximum likelihood to the last
half year. Simulated futures of that model, summed by month, give the mean and the intervals; their
logarithms' normal errors make the intervals lopsided, as those of a quantity above zero are.

Days without a generation among weeks of many are outages, unknown to the fit; a provider that has
had none for a week has no forecast, and neither does a new one.

Cost = generations x the provider's present cost per generation, so that a price change shows in the
forecast within a week and does not pass for growth. A future price change is not foreseen: where
two of four prices rose by a quarter before the month ended, the 80 % and 95 % intervals of cost
held 48 % and 66 % of generated months, 81 % and 96 % of the others. The total is simulated from the
sum of all providers at present prices, since providers rise and fall together, and then moved so
that the providers' forecasts add up to it.

Simulated intervals are too narrow, since trends bend and the fit passes for the truth. Each is
therefore scaled by normalised split conformal prediction (Lei et al. 2018, "Distribution-Free
Predictive Inference for Regression", section 5.2) over the back-test's earlier forecasts of the
same horizon, for months that had ended by then; those of the total apart from the providers'.
"""

from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.tsa.statespace.mlemodel import MLEResults
from statsmodels.tsa.statespace.structural import UnobservedComponents

TOTAL = "all"
HORIZON_MONTHS = 3  # the month of the forecast and the two after it
FIT_DAYS = 26 * 7  # older days describe another product
MINIMUM_DAYS = 8 * 7  # of history, half of them with generations
PRICE_DAYS = 7  # days with generations that tell the present cost per generation
RETIRED_DAYS = 7  # without a generation end a provider's forecasts
BUSY = 10  # generations on the median day; a day without any is then an outage
MOST_GROWTH = 10  # times the busiest day; nothing that a fit says beyond is believed
SIMULATIONS = 1000
INTERVALS = {"80": (0.1, 0.9), "95": (0.025, 0.975)}
PRIOR_FORECASTS = 20  # for so many past forecasts the simulated intervals' own widths count
BACK_TEST_DAYS = (1, 16)  # past forecasts are made as these days of a month begin


def has_enough_data(history: pd.Series) -> bool:
    """Say whether daily generations are many and frequent enough for a fit."""
    recent = history.dropna().tail(MINIMUM_DAYS)
    often = len(recent) == MINIMUM_DAYS and (recent > 0).mean() >= 0.5
    return often and bool(recent.tail(RETIRED_DAYS).any())


def without_outages(history: pd.Series) -> pd.Series:
    """The history with null for days without generations among weeks of many."""
    usual = history.rolling(28, min_periods=7).median()
    return history.mask((history == 0) & (usual >= BUSY))


def simulate(history: pd.Series, days: int) -> np.ndarray:
    """Simulate `days` days after a daily history; shape (days, SIMULATIONS), in its unit."""
    history = history.dropna().tail(FIT_DAYS)
    observed = np.log1p(without_outages(history).to_numpy())
    model = UnobservedComponents(observed, level="lldtrend", seasonal=7, stochastic_seasonal=False)
    fitted = model.fit(disp=False, cov_type="none", warn_convergence=False)
    highest = np.log1p(MOST_GROWTH * history.max())
    return np.expm1(futures_of(fitted, days).clip(0, highest))


def futures_of(fitted: MLEResults, days: int) -> np.ndarray:
    """Run a fitted model's state-space recursion forward; shape (days, SIMULATIONS).

    All paths at once: `fitted.simulate` takes them one by one, twenty times as long.
    """
    random = np.random.default_rng(0)
    system = fitted.model.ssm
    state = random.multivariate_normal(
        fitted.predicted_state[:, -1], fitted.predicted_state_cov[:, :, -1], SIMULATIONS
    ).T
    noise = random.normal(scale=np.sqrt(system["obs_cov", 0, 0]), size=(days, SIMULATIONS))
    shocks = random.normal(size=(days, len(system["state_cov"]), SIMULATIONS))
    shocks *= np.sqrt(np.diag(system["state_cov"]))[:, None]
    observed = np.empty((days, SIMULATIONS))
    for day in range(days):
        observed[day] = (system["design"] @ state)[0] + noise[day]
        state = system["transition"] @ state + system["selection"] @ shocks[day]
    return observed


def present_unit_costs(generations: pd.DataFrame, costs: pd.DataFrame) -> pd.Series:
    """US dollars per generation of each provider, over its last days with generations."""
    recent = generations.apply(lambda days: days[days > 0].tail(PRICE_DAYS))
    return (costs.where(recent.notna()).sum() / recent.sum()).fillna(0)


def simulate_usage(
    generations: pd.DataFrame, costs: pd.DataFrame, days: int
) -> dict[str, dict[str, np.ndarray]]:
    """Simulated generations and vendor cost by provider and in total, where there is enough data.

    Both frames hold complete days by provider; a provider is null before its first day.
    """
    unit_costs = present_unit_costs(generations, costs)
    futures = {}
    for provider in generations.columns[generations.apply(has_enough_data)]:
        future = simulate(generations[provider], days)
        futures[provider] = {"generations": future, "vendor_cost": future * unit_costs[provider]}

    total = generations.sum(axis=1)
    if not has_enough_data(total):
        return futures
    # In units of the mean generation, since the logarithm wants counts well above zero.
    mean_cost = (unit_costs * generations.sum()).sum() / total.sum()
    weights = unit_costs / mean_cost if mean_cost > 0 else unit_costs + 1
    in_total = {
        "generations": simulate(total, days),
        "vendor_cost": simulate((generations * weights).sum(axis=1), days) * mean_cost,
    }
    active = set(generations.columns[generations.tail(RETIRED_DAYS).sum() > 0])
    if active <= set(futures):
        for measure, future in in_total.items():
            parts = sum(futures[provider][measure].mean(axis=1) for provider in futures)
            mean = future.mean(axis=1)
            future *= np.divide(parts, mean, out=np.ones(days), where=mean > 0)[:, None]
    return {**futures, TOTAL: in_total}


def forecasts_made_on(
    usage: dict[str, pd.DataFrame], made_on: pd.Timestamp, elapsed: float, budget: float | None
) -> list[dict]:
    """Forecast three months for every provider and the total, `elapsed` days into `made_on`.

    Args:
        usage: daily `generations` and `vendor_cost` by provider, complete before `made_on`.
        made_on: the day of the forecast.
        elapsed: how much of that day is in `usage`, from 0 to below 1.
        budget: US dollars a month, or None.
    """
    first_month = made_on.replace(day=1)
    ends = [first_month + pd.DateOffset(months=1 + ahead) for ahead in range(HORIZON_MONTHS)]
    future_days = pd.date_range(made_on, ends[-1], inclusive="left")
    past = {measure: days[days.index < made_on] for measure, days in usage.items()}
    futures = simulate_usage(past["generations"], past["vendor_cost"], len(future_days))
    begun = made_on + pd.Timedelta(days=elapsed)
    until_now = {
        measure: days[(days.index >= first_month) & (days.index < begun)]
        for measure, days in usage.items()
    }
    providers = past["generations"].columns[past["generations"].notna().any()]
    if elapsed:
        providers = usage["generations"].columns

    rows = []
    for provider in [*providers, TOTAL]:
        future = futures.get(provider)
        for ahead, end in enumerate(ends):
            month = end - pd.DateOffset(months=1)
            row = {
                "forecast_date": made_on,
                "elapsed_days": (made_on - first_month).days + elapsed,
                "provider": provider,
                "month_start": month,
                "horizon_months": ahead,
                "forecast_status": "ok" if future else "not_enough_data",
            }
            for measure, days in until_now.items():
                actual = days.sum(axis=1) if provider == TOTAL else days[provider].fillna(0)
                actual = actual if ahead == 0 else actual * 0
                row[f"{measure}_to_date"] = actual.sum()
                if future:
                    in_month = (future_days >= month) & (future_days < end)
                    left = np.where(future_days == made_on, 1 - elapsed, 1.0)[in_month, None]
                    daily = future[measure][in_month] * left
                    samples = actual.sum() + daily.sum(axis=0)
                    row |= describe(measure, samples)
                    if provider == TOTAL and measure == "vendor_cost" and budget is not None:
                        expected = pd.Series(daily.mean(axis=1), future_days[in_month])
                        passed_on = day_passed(actual.add(expected, fill_value=0), budget)
                        row |= {"budget_passed_on": passed_on, "samples": samples}
            rows.append(row)
    return rows


def describe(measure: str, samples: np.ndarray) -> dict:
    """Mean and interval bounds of a month's simulated totals."""
    bounds = {
        f"{measure}_{side}_{level}": np.quantile(samples, quantile)
        for level, quantiles in INTERVALS.items()
        for side, quantile in zip(("lower", "upper"), quantiles, strict=True)
    }
    return {measure: samples.mean(), **bounds}


def day_passed(daily: pd.Series, budget: float) -> pd.Timestamp | None:
    """Say on which day a month's expected daily costs pass the budget, if they do."""
    passed = daily.index[daily.cumsum() > budget]
    return passed[0] if len(passed) else None


def probability_over(budget: float, row: pd.Series) -> float:
    """Share of a month's simulated totals above the budget, spread as its 80 % interval is."""
    spread = row["vendor_cost_scale_80"] * (row["samples"] - row["vendor_cost"])
    totals = (row["vendor_cost"] + spread).clip(row["vendor_cost_to_date"])
    return (totals > budget).mean()


def back_test_dates(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Days on which a forecast could have been made from at least the minimum history."""
    candidates = days[days.day.isin(BACK_TEST_DAYS)]
    return candidates[candidates >= days[0] + pd.Timedelta(days=MINIMUM_DAYS)]


def calibrated(made: pd.DataFrame, usage: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Scale intervals so that they would have held their share of earlier forecasts' months.

    Args:
        made: rows of `forecasts_made_on`, of any days.
        usage: daily `generations` and `vendor_cost` by provider.
    """
    made = made.copy()
    if not (made["forecast_status"] == "ok").any():
        return made
    months = pd.MultiIndex.from_frame(made[["month_start", "provider"]])
    ends = made["month_start"] + pd.DateOffset(months=1)
    for measure, days in usage.items():
        by_month = days.assign(**{TOTAL: days.sum(axis=1)}).resample("MS").sum().stack()
        errors = by_month.reindex(months).to_numpy() - made[measure]
        for level, (low, high) in INTERVALS.items():
            lower, upper = f"{measure}_lower_{level}", f"{measure}_upper_{level}"
            # The mean of a few very high futures may lie above an upper bound.
            width_down = (made[measure] - made[lower]).clip(lower=0)
            width_up = (made[upper] - made[measure]).clip(lower=0)
            widths = width_up.where(errors > 0, width_down)
            scores = (errors.abs() / widths).where(widths > 0)
            for _, like in made.groupby([made["provider"] == TOTAL, "horizon_months"]):
                for made_on, rows in like.groupby("forecast_date"):
                    earlier = like.index[ends[like.index] <= made_on]
                    scale = conformal_scale(scores[earlier].dropna(), high - low)
                    made.loc[rows.index, f"{measure}_scale_{level}"] = scale
            made[lower] = made[measure] - made[f"{measure}_scale_{level}"] * width_down
            made[upper] = made[measure] + made[f"{measure}_scale_{level}"] * width_up
        lower, lower_95 = f"{measure}_lower_80", f"{measure}_lower_95"
        upper, upper_95 = f"{measure}_upper_80", f"{measure}_upper_95"
        made[lower] = made[lower].clip(lower=made[f"{measure}_to_date"])
        made[lower_95] = made[[lower, lower_95]].min(axis=1).clip(made[f"{measure}_to_date"])
        made[upper_95] = made[[upper, upper_95]].max(axis=1)
    return made


def conformal_scale(scores: pd.Series, level: float) -> float:
    """Factor on an interval's width that holds the share `level` of scores and one more.

    `scores` are past errors in units of the width. Few of them are no evidence, so those join in
    that `PRIOR_FORECASTS` normal errors would have if the simulated width were right.
    """
    quantiles = (1 + (np.arange(PRIOR_FORECASTS) + 0.5) / PRIOR_FORECASTS) / 2
    known = np.append(scores, norm.ppf(quantiles) / norm.ppf((1 + level) / 2))
    rank = min(np.ceil((len(known) + 1) * level), len(known))
    return np.sort(known)[int(rank) - 1]


def forecast_costs(usage: pd.DataFrame, budget: float | None) -> pd.DataFrame:
    """Make today's forecast and those of the past; one row per forecast, provider and month.

    `usage` has a row per day and provider, as `int_usage_by_provider_day`; its last day is today.
    """
    usage = usage.assign(usage_date=pd.to_datetime(usage["usage_date"]).astype("datetime64[s]"))
    by_provider = usage.pivot(index="usage_date", columns="provider").sort_index()
    by_measure = {
        "generations": by_provider["generations"].astype(float),
        "vendor_cost": by_provider["vendor_cost_usd"].astype(float),
    }
    today = by_provider.index[-1]
    elapsed = float(by_provider["elapsed_days"].loc[today].max())
    rows = [
        row | {"is_current": False}
        for made_on in back_test_dates(by_provider.index)
        for row in forecasts_made_on(by_measure, made_on, 0.0, None)
    ]
    rows += [
        row | {"is_current": True} for row in forecasts_made_on(by_measure, today, elapsed, budget)
    ]
    made = calibrated(pd.DataFrame(rows), by_measure)
    if "samples" in made:
        over = made[made["samples"].notna()]
        made["probability_over_budget"] = over.apply(partial(probability_over, budget), axis=1)
        made = made.drop(columns="samples")
    return to_columns(made.drop(columns=made.filter(regex="_scale_").columns))


def to_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Round to whole generations and to 1/10,000 dollar, and name every column, empty ones too."""
    for measure in ("generations", "vendor_cost"):
        bounds = [f"{measure}_{side}_{level}" for level in INTERVALS for side in ("lower", "upper")]
        for column in [f"{measure}_to_date", measure, *bounds]:
            values = frame.get(column, pd.Series(np.nan, frame.index)).astype(float)
            if measure == "generations":
                frame[column] = values.round().astype("Int64")
            else:
                frame[f"{column}_usd"] = values.round(4)
                frame = frame.drop(columns=column, errors="ignore")
    for column in ("budget_passed_on", "probability_over_budget"):
        frame[column] = frame.get(column, pd.Series(None, frame.index))
    for column in ("forecast_date", "month_start", "budget_passed_on"):
        frame[column] = pd.to_datetime(frame[column]).dt.date
    return frame


def checked_budget(setting: object) -> float | None:
    """Read the variable `monthly_budget_usd`; unset is None.

    Raises:
        ValueError: it is set and no number above zero.
    """
    if setting in (None, "", "None"):
        return None
    try:
        budget = float(str(setting))
    except ValueError:
        budget = 0.0
    if not 0 < budget < float("inf"):
        raise ValueError(f"monthly_budget_usd is '{setting}': it must be a number above 0, or null")
    return budget


def model(dbt, session):
    """Table of forecasts, past and present."""
    usage = dbt.ref("int_usage_by_provider_day")
    budget = checked_budget(dbt.config.meta_get("monthly_budget_usd"))
    return forecast_costs(usage, budget)
