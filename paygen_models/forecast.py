"""Forecasts of generations and vendor cost: today's, and those every past month would have seen.

Two methods make each forecast. The *model* simulates futures of a provider's daily generations
(`structural`) and sums them by month; its figure is their median. The *naive* one is "same as last
month": the last whole month again, and for the running month what has happened plus the share of
last month that its days to come have in the usual week. The back-test makes both as of the 1st and
the 16th of each past month. Where the model's errors were larger there than the naive ones, the
naive figure is shown, with the status `naive`; so it is where a series is too thin for a fit.

A provider that is silent has no forecast after a week (`closures.is_retired`), and neither has a
new one.

Cost = generations x the provider's present cost per generation, so that a price change shows in the
model's forecast within a week and does not pass for growth. A future price change is not foreseen:
where two of four prices rose by a quarter before the month ended, the 80 % and 95 % intervals of
cost held 48 % and 66 % of generated months, 81 % and 96 % of the others. The total is simulated
from the sum of all providers at present prices, since providers rise and fall together, and then
moved so that the providers' figures add up to it.

Simulated intervals are too narrow, since trends bend and the fit passes for the truth. Each is
therefore scaled by normalised split conformal prediction (Lei et al. 2018, "Distribution-Free
Predictive Inference for Regression", section 5.2) over the back-test's earlier forecasts of the
same method and horizon, for months that had ended by then; those of the total apart from the
providers'.

Frames named `usage` are dicts of daily `generations` and `vendor_cost` (US dollars), each a frame
of days by provider, null before a provider's first day.
"""

from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from paygen_models.closures import is_regular, is_retired
from paygen_models.structural import simulate

TOTAL = "all"
HORIZON_MONTHS = 3  # the month of the forecast and the two after it
MINIMUM_DAYS = 8 * 7  # of history, below which nothing is forecast
MINIMUM_ACTIVE_DAYS = 8  # of those with generations, below which nothing is fitted
PRICE_DAYS = 7  # days with generations that tell the present cost per generation
PROFILE_DAYS = 28  # that tell the usual week
NAIVE_SPREAD = 0.15  # standard deviation of the naive forecast's log error, before any is known
INTERVALS = {"80": (0.1, 0.9), "95": (0.025, 0.975)}
NORMAL = norm.ppf((np.arange(199) + 0.5) / 199)  # quantiles that stand for the naive futures
PRIOR_FORECASTS = 20  # for so many past forecasts the simulated intervals' own widths count
LEAST_WIDTH = 0.02  # of what is left of a month, on either side: no fit is surer than that
MOST_SCALE = 3  # times the simulated width; errors beyond are of another kind, such as a launch
BACK_TEST_DAYS = (1, 16)  # past forecasts are made as these days of a month begin
RECENT_MONTHS = 6  # of the back-test, in which the model must not lose either

Futures = dict[str, dict[str, np.ndarray]]
"""By provider and measure: simulated days; shape (days, simulations)."""


def is_forecast(history: pd.Series) -> bool:
    """Whether a daily series is long enough for any forecast and still in use."""
    history = history.dropna()
    return len(history) >= MINIMUM_DAYS and not is_retired(history)


def has_enough_data(history: pd.Series) -> bool:
    """Whether daily generations are many and frequent enough for a fit."""
    if not is_forecast(history):
        return False
    recent = history.dropna().tail(MINIMUM_DAYS)
    active = (recent > 0).sum()
    often = active >= MINIMUM_DAYS / 2
    return often or (active >= MINIMUM_ACTIVE_DAYS and is_regular(recent))


def in_use(generations: pd.DataFrame) -> list[str]:
    """Providers, new ones too, whose usage goes on."""
    return [
        provider
        for provider in generations
        if generations[provider].notna().any() and not is_retired(generations[provider].dropna())
    ]


def present_unit_costs(generations: pd.DataFrame, costs: pd.DataFrame) -> pd.Series:
    """US dollars per generation of each provider, over its last days with generations."""
    recent = generations.apply(lambda days: days[days > 0].tail(PRICE_DAYS))
    return (costs.where(recent.notna()).sum() / recent.sum()).fillna(0)


def simulate_usage(generations: pd.DataFrame, costs: pd.DataFrame, days: int) -> Futures:
    """The model's futures by provider and in total, where there is enough data for a fit."""
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
    futures[TOTAL] = {
        "generations": simulate(total, days),
        "vendor_cost": simulate((generations * weights).sum(axis=1), days) * mean_cost,
    }
    return futures


def repeat_last_month(usage: dict[str, pd.DataFrame], days: pd.DatetimeIndex) -> Futures:
    """The naive futures of `days`, by provider and in total: the last whole month again.

    Their spread is a guess that the back-test's naive errors scale.
    """
    this_month = days[0].replace(day=1)
    last_month = slice(this_month - pd.DateOffset(months=1), this_month - pd.DateOffset(days=1))
    last = pd.DataFrame({measure: known.loc[last_month].sum() for measure, known in usage.items()})
    generations = usage["generations"]
    unit_costs = present_unit_costs(generations, usage["vendor_cost"])
    active = in_use(generations)
    month_of_day = (
        days.year * 12 + days.month - this_month.year * 12 - this_month.month
    ).to_numpy()
    spread = NAIVE_SPREAD * np.sqrt(1 + np.arange(HORIZON_MONTHS))
    wide = np.exp(spread[:, None] * NORMAL)
    total = generations[active].sum(axis=1)
    chosen = [provider for provider in active if is_forecast(generations[provider])]
    parts = {provider: generations[provider] for provider in chosen}
    if active and is_forecast(total):
        parts[TOTAL] = total
    futures: dict[str, dict[str, np.ndarray]] = {}
    for provider, history in parts.items():
        members = active if provider == TOTAL else [provider]
        shares = shares_of_month(history, days)
        counts, costs = last.loc[members].sum()
        unit = (unit_costs[members] * last.loc[members, "generations"]).sum() / max(counts, 1)
        futures[provider] = {}
        for measure, month, one in (("generations", counts, 1.0), ("vendor_cost", costs, unit)):
            # Chance moves even a month of none: the root of a count is its standard deviation.
            chance = one * np.sqrt(month / one + 1) if one > 0 else 0.0
            months = (month * wide + chance * NORMAL).clip(min=0)
            futures[provider][measure] = shares[:, None] * months[month_of_day]
    return futures


def shares_of_month(history: pd.Series, days: pd.DatetimeIndex) -> np.ndarray:
    """The share of its whole month that each of `days` has in the usual week; shape (days,)."""
    recent = history.tail(PROFILE_DAYS).fillna(0)
    profile = recent.groupby(recent.index.day_of_week).mean().reindex(range(7), fill_value=0.0)
    if not profile.any():
        profile += 1.0
    whole = pd.date_range(days[0].replace(day=1), days[-1])
    weights = profile.to_numpy()[whole.day_of_week]
    months = (whole.year * 12 + whole.month).to_numpy()
    months = months - months[0]
    shares: np.ndarray = weights / np.bincount(months, weights)[months]
    return shares[-len(days) :]


def forecasts_made_on(
    usage: dict[str, pd.DataFrame],
    made_on: pd.Timestamp,
    elapsed: float,
    budget: float | None,
    method: str = "model",
) -> list[dict[str, Any]]:
    """Forecast three months for every provider and the total, `elapsed` days into `made_on`.

    Args:
        usage: daily `generations` and `vendor_cost` by provider, complete before `made_on`.
        made_on: the day of the forecast.
        elapsed: how much of that day is in `usage`, from 0 to below 1.
        budget: US dollars a month, or None; with one, the total's futures are kept for
            `budget_outlook`.
        method: `model` or `naive`.
    """
    first_month = made_on.replace(day=1)
    ends = [first_month + pd.DateOffset(months=1 + ahead) for ahead in range(HORIZON_MONTHS)]
    future_days = pd.date_range(made_on, ends[-1], inclusive="left")
    past = {measure: days[days.index < made_on] for measure, days in usage.items()}
    if method == "model":
        futures = simulate_usage(past["generations"], past["vendor_cost"], len(future_days))
    else:
        futures = repeat_last_month(past, future_days)
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
                    row |= describe(measure, actual.sum() + daily.sum(axis=0))
                    if provider == TOTAL and measure == "vendor_cost" and budget is not None:
                        expected = pd.Series(daily.mean(axis=1), future_days[in_month])
                        row["samples"] = actual.sum() + daily.sum(axis=0)
                        row["daily"] = (actual, expected)
            rows.append(row)
    return add_up(rows, set(in_use(past["generations"])))


def describe(measure: str, samples: np.ndarray) -> dict[str, float]:
    """Median and interval bounds of a month's simulated totals."""
    sides = [
        (f"{measure}_{side}_{level}", quantile)
        for level, quantiles in INTERVALS.items()
        for side, quantile in zip(("lower", "upper"), quantiles, strict=True)
    ]
    names, quantiles = zip((measure, 0.5), *sides, strict=True)
    return dict(zip(names, np.quantile(samples, quantiles), strict=True))


def add_up(rows: list[dict[str, Any]], active: set[str]) -> list[dict[str, Any]]:
    """Move the total's figures to the sum of its providers', where each in use has a forecast.

    What is left of the month is moved, not what has happened; bounds move by the same factor.
    """
    totals = {row["month_start"]: row for row in rows if row["provider"] == TOTAL}
    for month, total in totals.items():
        parts = [row for row in rows if row["provider"] != TOTAL and row["month_start"] == month]
        forecast = [row for row in parts if row["forecast_status"] != "not_enough_data"]
        additive = active and active <= {row["provider"] for row in forecast}
        if total["forecast_status"] == "not_enough_data" or not additive:
            continue
        for measure in ("generations", "vendor_cost"):
            to_date = total[f"{measure}_to_date"]
            left = sum(row[measure] - row[f"{measure}_to_date"] for row in forecast)
            was_left = total[measure] - to_date
            factor = left / was_left if was_left > 0 else 1.0
            names = [
                f"{measure}_{end}_{level}" for level in INTERVALS for end in ("lower", "upper")
            ]
            if measure == "vendor_cost":
                names += [name for name in ("samples",) if name in total]
            for name in names:
                total[name] = to_date + (total[name] - to_date) * factor
            total[measure] = to_date + left
    return rows


def budget_outlook(row: pd.Series, budget: float) -> pd.Series:
    """The day on which a month's expected costs pass the budget, and how likely they do.

    The likelihood is the share of simulated totals above it, spread as the 80 % interval is.
    """
    actual, expected = row["daily"]
    left = row["vendor_cost"] - row["vendor_cost_to_date"]
    expected = expected * (left / expected.sum() if expected.sum() > 0 else 0.0)
    spread = row["vendor_cost_scale_80"] * (row["samples"] - row["vendor_cost"])
    totals = (row["vendor_cost"] + spread).clip(row["vendor_cost_to_date"])
    return pd.Series(
        {
            "budget_passed_on": day_passed(actual.add(expected, fill_value=0), budget),
            "probability_over_budget": (totals > budget).mean(),
        },
        dtype=object,
    )


def day_passed(daily: pd.Series, budget: float) -> pd.Timestamp | None:
    """Say on which day a month's expected daily costs pass the budget, if they do."""
    passed = daily.index[daily.cumsum() > budget]
    return passed[0] if len(passed) else None


def back_test_dates(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Days on which a forecast could have been made from at least the minimum history."""
    candidates = days[days.day.isin(BACK_TEST_DAYS)]
    return candidates[candidates >= days[0] + pd.Timedelta(days=MINIMUM_DAYS)]


def by_month(days: pd.DataFrame) -> pd.Series:
    """Sums by month and provider, and in total."""
    return days.assign(**{TOTAL: days.sum(axis=1)}).resample("MS").sum().stack()


def calibrated(
    made: pd.DataFrame, usage: dict[str, pd.DataFrame], since: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Scale intervals so that they would have held their share of earlier forecasts' months.

    Args:
        made: rows of `forecasts_made_on`, of any days.
        usage: daily `generations` and `vendor_cost` by provider.
        since: day of the first forecast whose intervals are wanted; of all where None.
    """
    made = made.copy()
    if not (made["forecast_status"] == "ok").any():
        return made
    months = pd.MultiIndex.from_frame(made[["month_start", "provider"]])
    ends = made["month_start"] + pd.DateOffset(months=1)
    for measure, days in usage.items():
        errors = by_month(days).reindex(months).to_numpy() - made[measure]
        for level, (low, high) in INTERVALS.items():
            lower, upper = f"{measure}_lower_{level}", f"{measure}_upper_{level}"
            # Where the total was moved to the sum of its providers, rounding may cross a bound.
            least = LEAST_WIDTH * (made[measure] - made[f"{measure}_to_date"])
            width_down = (made[measure] - made[lower]).clip(lower=least)
            width_up = (made[upper] - made[measure]).clip(lower=least)
            widths = width_up.where(errors > 0, width_down)
            scores = (errors.abs() / widths).where(widths > 0)
            made[f"{measure}_scale_{level}"] = 1.0
            for _, like in made.groupby([made["provider"] == TOTAL, "horizon_months"]):
                wanted = like if since is None else like[like["forecast_date"] >= since]
                for made_on, rows in wanted.groupby("forecast_date"):
                    earlier = like.index[ends[like.index] <= made_on]
                    scale = conformal_scale(scores[earlier].dropna(), high - low)
                    made.loc[rows.index, f"{measure}_scale_{level}"] = min(scale, MOST_SCALE)
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
    known = np.append(scores, prior_scores(level))
    rank = min(np.ceil((len(known) + 1) * level), len(known))
    return float(np.sort(known)[int(rank) - 1])


@cache
def prior_scores(level: float) -> np.ndarray:
    """Scores of `PRIOR_FORECASTS` normal errors under an interval of the right width."""
    quantiles = (1 + (np.arange(PRIOR_FORECASTS) + 0.5) / PRIOR_FORECASTS) / 2
    scores: np.ndarray = norm.ppf(quantiles) / norm.ppf((1 + level) / 2)
    return scores


def losses(
    model: pd.DataFrame, naive: pd.DataFrame, usage: dict[str, pd.DataFrame]
) -> set[tuple[str, int]]:
    """Providers and horizons at which the model's past errors are larger than the naive ones.

    The sums of absolute errors are compared over the whole back-test and over its last months: a
    model that was right about growth may be wrong about what came after. Either measure counts.
    A horizon of which no month has ended yet is judged by the one before.

    Args:
        model, naive: calibrated rows of `forecasts_made_on` for the same days.
        usage: daily `generations` and `vendor_cost` by provider; its last day is today.
    """
    key = ["forecast_date", "provider", "month_start", "horizon_months"]
    both = model.merge(naive, on=key, suffixes=("_model", "_naive"))
    both = both[(both["forecast_status_model"] == "ok") & (both["forecast_status_naive"] == "ok")]
    today = usage["generations"].index[-1]
    both = both[both["month_start"] + pd.DateOffset(months=1) <= today]
    if both.empty:
        return set()
    recent = both["month_start"] >= today.replace(day=1) - pd.DateOffset(months=RECENT_MONTHS)
    months = pd.MultiIndex.from_frame(both[["month_start", "provider"]])
    lost = set()
    for measure, days in usage.items():
        actual = by_month(days).reindex(months).to_numpy()
        digits = 0 if measure == "generations" else 4
        errors = pd.DataFrame(
            {
                method: (both[f"{measure}_{method}"].round(digits) - actual).abs()
                for method in ("model", "naive")
            }
        )
        for part in (slice(None), recent):
            sums = errors[part].groupby([both["provider"], both["horizon_months"]]).sum()
            lost |= set(sums.index[sums["model"] > sums["naive"]])
    judged = set(zip(both["provider"], both["horizon_months"], strict=True))
    for ahead in range(1, HORIZON_MONTHS):
        for provider in model["provider"].unique():
            if (provider, ahead) not in judged and (provider, ahead - 1) in lost:
                lost.add((provider, ahead))
    return lost


def shown(
    model: pd.DataFrame, naive: pd.DataFrame, lost: set[tuple[str, int]], active: set[str]
) -> pd.DataFrame:
    """Today's rows: the model's, or the naive ones where it lost or there is none.

    Where the total lost, each provider is shown by the naive figure, so that they add up to it.
    """
    rows = []
    for ahead, of_model in model.groupby("horizon_months"):
        chosen = []
        for row, other in zip(
            of_model.to_dict("records"),
            naive[naive["horizon_months"] == ahead].to_dict("records"),
            strict=True,
        ):
            fits = row["forecast_status"] == "ok"
            loses = {(row["provider"], ahead), (TOTAL, ahead)} & lost
            if other["forecast_status"] == "ok" and (loses or not fits):
                row = other | {"forecast_status": "naive"}
            chosen.append(row)
        forecast = [row for row in chosen if row["forecast_status"] != "not_enough_data"]
        methods = {row["forecast_status"] for row in forecast if row["provider"] != TOTAL}
        if methods == {"naive"} and chosen[-1]["forecast_status"] == "ok":
            total = naive[(naive["horizon_months"] == ahead) & (naive["provider"] == TOTAL)]
            chosen[-1] = total.to_dict("records")[0] | {"forecast_status": "naive"}
        rows += add_up(chosen, active)
    return pd.DataFrame(rows)


KEYS = {
    "forecast_date": "datetime64[s]",
    "is_current": bool,
    "elapsed_days": float,
    "provider": str,
    "month_start": "datetime64[s]",
    "horizon_months": int,
    "forecast_status": str,
}


# On matrices as small as these, more threads only wait for each other.
@threadpool_limits.wrap(limits=1)  # type: ignore[untyped-decorator]
def forecast_costs(usage: pd.DataFrame, budget: float | None) -> pd.DataFrame:
    """Make today's forecast and those of the past; one row per forecast, provider and month.

    Past rows are the model's, the evidence on which today's shows it or the naive figure.

    Args:
        usage: a row per day and provider, as `int_usage_by_provider_day`; its last day is today.
        budget: US dollars a month, or None.
    """
    if usage.empty:  # as in a trial by `dbt build --empty`, whose seeds have no providers
        return to_columns(
            pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in KEYS.items()})
        )
    usage = usage.assign(usage_date=pd.to_datetime(usage["usage_date"]).astype("datetime64[s]"))
    by_provider = usage.pivot(index="usage_date", columns="provider").sort_index()
    by_measure = {
        "generations": by_provider["generations"].astype(float),
        "vendor_cost": by_provider["vendor_cost_usd"].astype(float),
    }
    today = by_provider.index[-1]
    elapsed = float(by_provider["elapsed_days"].loc[today].max())
    made = {}
    for method in ("model", "naive"):
        rows = [
            row | {"is_current": False}
            for made_on in back_test_dates(by_provider.index)
            for row in forecasts_made_on(by_measure, made_on, 0.0, None, method)
        ]
        rows += [
            row | {"is_current": True}
            for row in forecasts_made_on(by_measure, today, elapsed, budget, method)
        ]
        # Of past naive forecasts the figures are compared, and the intervals are not asked for.
        since = today if method == "naive" else None
        made[method] = calibrated(pd.DataFrame(rows), by_measure, since)
    past, current = (
        {method: rows[rows["is_current"] == which] for method, rows in made.items()}
        for which in (False, True)
    )
    active = set(in_use(by_measure["generations"][by_measure["generations"].index < today]))
    lost = losses(past["model"], past["naive"], by_measure) if len(past["model"]) else set()
    chosen = shown(current["model"], current["naive"], lost, active)
    if budget is not None and "samples" in chosen:
        over = chosen[chosen["samples"].notna()]
        outlook = over.apply(partial(budget_outlook, budget=budget), axis=1)
        chosen = chosen.drop(columns=["samples", "daily"]).join(outlook)
    frame = pd.concat([past["model"], chosen], ignore_index=True)
    unseen = [*frame.filter(regex="_scale_").columns, "samples", "daily"]
    return to_columns(frame.drop(columns=unseen, errors="ignore"))


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
