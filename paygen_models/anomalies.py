"""Unusual days: each day of a provider against what its own weeks before led to expect.

Method: a robust score (Iglewicz and Hoaglin 1993, "How to Detect and Handle Outliers"): the
distance from an expected value in units of the median absolute deviation of statsmodels. Expected
is the median of the four weeks before plus the weekday's median distance from it in the eight weeks
before, so that growth, weekends, and the spikes of earlier days do no harm. Days at the turn of the
month are also allowed what earlier turns of the month showed. Only earlier days are looked at: the
verdict on a day does not change when later days arrive.

A weekday on which the provider was closed in most of the weeks before is expected to be closed
again, and its zeros say nothing about the level and the spread of the other days (`closures`).

Each measure is put on a scale where its chance variation hardly depends on its size: the square
root for counts and costs (Anscombe 1948), the arc sine for rates, the logarithm for durations. The
spread can be no less than chance alone makes it, which keeps providers with few generations quiet.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from statsmodels.robust import mad

from paygen_models.closures import closed_days

ToUnit = Callable[[pd.Series], pd.Series]  # from a measure's scale to its unit

LEVEL_DAYS = 28  # whole weeks, so that weekdays cancel out
PATTERN_WEEKS = 8
SPREAD_DAYS = 56
SEVERITIES = {4.0: "warning", 6.0: "critical"}  # least score of each
MONTH_TURN_DAYS = 3  # on either side of a month's end
EARLIER_TURNS = 3  # that must be known before they are allowed for
TURN_EFFECT = 1.5  # spreads; less in common is chance
DURATION_SPREAD = 0.75  # of the log of a median, times the root of the number of generations


def count_scale(counts: pd.Series, unit: pd.Series | float = 1.0) -> pd.DataFrame:
    """Square-root scale, on which a Poisson count of units has the standard deviation 1."""
    return pd.DataFrame({"value": 2 * np.sqrt(counts / unit + 3 / 8), "chance": 1.0})


def scaled_measures(days: pd.DataFrame) -> dict[str, tuple[pd.DataFrame, ToUnit]]:
    """Each measure of one provider on its scale with its chance spread, and the way back."""
    ended = days["completed_generations"] + days["failed_generations"]
    recent = days[["vendor_cost_usd", "generations"]].rolling(LEVEL_DAYS, min_periods=1).sum()
    unit_cost = (recent["vendor_cost_usd"] / recent["generations"]).shift().bfill()
    unit_cost = unit_cost.where(unit_cost > 0, 1.0)
    failure_rate = (days["failed_generations"] + 3 / 8) / (ended + 3 / 4)
    some_ended = ended.where(ended > 0)
    return {
        "generations": (count_scale(days["generations"]), from_count_scale(1.0)),
        "failure_rate": (
            pd.DataFrame(
                {
                    "value": 2 * np.arcsin(np.sqrt(failure_rate.where(ended > 0))),
                    "chance": 1 / np.sqrt(some_ended),
                }
            ),
            lambda value: np.sin(value.clip(0, np.pi) / 2) ** 2,
        ),
        "vendor_cost_usd": (
            count_scale(days["vendor_cost_usd"], unit_cost),
            from_count_scale(unit_cost),
        ),
        "refunds_issued": (count_scale(days["refunds_issued"]), from_count_scale(1.0)),
        "median_duration_seconds": (
            pd.DataFrame(
                {
                    "value": np.log(days["median_duration_seconds"].clip(lower=0.001)),
                    "chance": DURATION_SPREAD / np.sqrt(some_ended),
                }
            ),
            np.exp,
        ),
    }


def from_count_scale(unit: pd.Series | float) -> ToUnit:
    """The way back from `count_scale`."""
    return lambda value: (((value.clip(lower=0) / 2) ** 2 - 3 / 8).clip(lower=0)) * unit


def closure_of_weekdays(generations: pd.Series) -> pd.DataFrame:
    """For each day whether it is `expected` to be closed, and whether it is `ordinary`: closed too.

    Only earlier days tell, as everywhere here. In the first weeks a closed day is ordinary.
    """
    closed = closed_days(generations)
    by_weekday = closed.astype(float).groupby(closed.index.day_of_week)
    share = by_weekday.transform(
        lambda days: days.rolling(PATTERN_WEEKS, min_periods=3).mean().shift()
    )
    return pd.DataFrame({"expected": share > 0.5, "ordinary": closed & ~(share <= 0.5)})


def weekly_expectation(values: pd.Series, ordinary_closures: pd.Series) -> pd.Series:
    """What the weeks before a day lead to expect of it, if it is open."""
    known = values.rolling(LEVEL_DAYS, min_periods=1).count()
    values = values.mask(ordinary_closures)
    level = values.rolling(LEVEL_DAYS, min_periods=1).median()
    level = level.where(known >= LEVEL_DAYS // 2).shift()
    weekday = (values - level).groupby(values.index.day_of_week)
    pattern = weekday.transform(
        lambda days: days.rolling(PATTERN_WEEKS, min_periods=3).median().shift()
    )
    return level + pattern


def month_turn_position(days: pd.DatetimeIndex) -> pd.Series:
    """-2, -1, 0 for a month's last days, 1, 2, 3 for its first; null between."""
    position = pd.Series(days.day, days).astype(float)
    to_end = position - days.days_in_month
    return position.where(position <= MONTH_TURN_DAYS, to_end.where(to_end > -MONTH_TURN_DAYS))


def month_turn_effect(surprise: pd.Series, spread: pd.Series) -> pd.Series:
    """What earlier turns of the month had in common at a day's position, beyond the ordinary."""
    position = month_turn_position(surprise.index)
    usual = surprise.groupby(position, dropna=False).transform(
        lambda days: days.rolling(6, min_periods=EARLIER_TURNS).median().shift()
    )
    return usual.where(position.notna() & (usual.abs() > spread * TURN_EFFECT), 0)


def trailing_spread(
    surprise: pd.Series, chance: pd.Series, ordinary_closures: pd.Series
) -> pd.Series:
    """Robust standard deviation of the open days before, no less than chance makes it."""
    windows = pd.concat([pd.Series(np.nan, range(SPREAD_DAYS)), surprise]).to_numpy()
    windows = np.lib.stride_tricks.sliding_window_view(windows, SPREAD_DAYS)[:-1]
    finite = np.isfinite(windows).sum(axis=1)
    closed = ordinary_closures.astype(float).rolling(SPREAD_DAYS, min_periods=1).sum().shift()
    known = (finite >= 7) & (finite + closed.fillna(0).to_numpy() >= SPREAD_DAYS // 2)
    spread = np.full(len(surprise), np.nan)
    spread[known] = [mad(window[np.isfinite(window)], center=0) for window in windows[known]]
    return (
        pd.Series(spread, surprise.index).where(lambda known: known >= chance, chance).where(known)
    )


def score_measure(scaled: pd.DataFrame, back: ToUnit, closure: pd.DataFrame) -> pd.DataFrame:
    """Expected value and score of each day of one measure.

    Args:
        scaled: `value` and `chance` of each day, on the measure's scale.
        back: from the scale to the measure's unit.
        closure: `closure_of_weekdays`; none where the measure has no value on a closed day.
    """
    open_day = weekly_expectation(scaled["value"], closure["ordinary"])
    surprise = (scaled["value"] - open_day).mask(closure["ordinary"])
    spread = trailing_spread(surprise, scaled["chance"].fillna(np.inf), closure["ordinary"])
    effect = month_turn_effect(surprise, spread)
    zero = count_scale(pd.Series(0.0, scaled.index))["value"]
    expected = (open_day + effect).mask(closure["expected"], zero)
    score = (scaled["value"] - expected) / spread
    return pd.DataFrame({"expected_value": back(expected), "score": score})


def judge(scores: pd.Series) -> pd.Series:
    """Severity of each score."""
    severity = pd.Series("normal", scores.index).where(scores.notna(), "not_enough_data")
    for least, name in SEVERITIES.items():
        severity = severity.mask(scores.abs() >= least, name)
    return severity


def score_usage(usage: pd.DataFrame) -> pd.DataFrame:
    """Score every complete day; one row per day, provider and measure.

    `usage` has a row per day and provider, as `int_usage_by_provider_day`.
    """
    usage = usage[usage["elapsed_days"] == 1].sort_values("usage_date")
    usage = usage.assign(vendor_cost_usd=usage["vendor_cost_usd"].astype(float))
    parts = []
    for provider, days in usage.groupby("provider"):
        days = days.set_index(pd.DatetimeIndex(days["usage_date"]))
        measures = days.select_dtypes("number").astype(float)
        measures["failure_rate"] = measures["failed_generations"] / (
            measures["completed_generations"] + measures["failed_generations"]
        ).where(lambda ended: ended > 0)
        closure = closure_of_weekdays(measures["generations"])
        never = closure & False
        for measure, (scaled, back) in scaled_measures(measures).items():
            counted = measure in ("generations", "vendor_cost_usd")
            part = score_measure(scaled, back, closure if counted else never)
            part["usage_date"] = part.index.date
            part["provider"] = provider
            part["measure"] = measure
            part["actual_value"] = measures[measure]
            parts.append(part)
    columns = ["usage_date", "provider", "measure", "actual_value", "expected_value", "score"]
    scored = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    scored = scored[columns]
    scored["severity"] = judge(scored["score"].astype(float))
    direction = np.where(scored["score"].astype(float) > 0, "high", "low")
    scored["direction"] = pd.Series(direction, scored.index).where(
        scored["severity"].isin(SEVERITIES.values())
    )
    for column, digits in {"actual_value": 4, "expected_value": 4, "score": 2}.items():
        scored[column] = scored[column].astype(float).round(digits)
    return scored
