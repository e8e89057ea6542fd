"""`usage_anomalies`: planted days are found, ordinary ones are not."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from paygen_models import anomalies
from tests.python_models.histories import TRENDS, history

FALSE_ALARM_RATE = 0.001  # at most, of scored provider-days of one measure; the docs state it
PLANTED = date(2024, 2, 14)


def flagged(scored: pd.DataFrame) -> pd.DataFrame:
    """Days that stand out."""
    return scored[scored["severity"].isin(["warning", "critical"])]


def plant(usage: pd.DataFrame, provider: str, day: date, **values: float) -> pd.DataFrame:
    """Change measures of one provider on one day."""
    here = (usage["provider"] == provider) & (usage["usage_date"] == day)
    assert here.sum() == 1
    return usage.assign(
        **{name: usage[name].astype(float).mask(here, value) for name, value in values.items()}
    )


def busy_days(frame: pd.DataFrame) -> np.ndarray:
    """Whether each row's day is one of the last two of its month."""
    days = pd.DatetimeIndex(frame["usage_date"])
    return np.asarray(days.day > days.days_in_month - 2)


def quiet_usage(seed: int = 0) -> pd.DataFrame:
    """Twenty months in which nothing happens."""
    return history(seed, with_price_change=False)


@pytest.mark.parametrize(
    ("values", "measure", "direction"),
    [
        ({"generations": 2000}, "generations", "high"),
        ({"generations": 0}, "generations", "low"),
        ({"vendor_cost_usd": 100}, "vendor_cost_usd", "high"),
        ({"failed_generations": 100}, "failure_rate", "high"),
        ({"refunds_issued": 100}, "refunds_issued", "high"),
        ({"median_duration_seconds": 60}, "median_duration_seconds", "high"),
    ],
)
def test_planted_day_is_found(values: dict, measure: str, direction: str) -> None:
    """A spike or an outage is critical on its day and nowhere else."""
    scored = anomalies.score_usage(plant(quiet_usage(), "nanobanana", PLANTED, **values))
    found = flagged(scored[scored["usage_date"].between(PLANTED, PLANTED + timedelta(days=60))])
    found = found[(found["provider"] == "nanobanana") & (found["measure"] == measure)]
    assert found[["usage_date", "direction", "severity"]].to_numpy().tolist() == [
        [PLANTED, direction, "critical"]
    ]


@pytest.mark.parametrize("trend", TRENDS)
def test_false_alarm_rate_on_quiet_days(trend: str) -> None:
    """Growth, weekdays and noise alone hardly ever stand out."""
    scored = pd.concat(
        anomalies.score_usage(history(seed, trend=trend, with_price_change=False))
        for seed in range(3)
    )
    scored = scored[scored["severity"] != "not_enough_data"]
    assert len(scored) > 30_000
    assert len(flagged(scored)) / len(scored) < FALSE_ALARM_RATE


def test_a_month_end_that_is_always_busy_is_ordinary() -> None:
    """The last two days of each month at double traffic are expected after a few months."""
    usage = quiet_usage()
    usage = usage.assign(generations=usage["generations"] * np.where(busy_days(usage), 2, 1))
    scored = anomalies.score_usage(usage)
    later = scored[busy_days(scored) & (scored["usage_date"] > date(2023, 6, 15))]
    later = later[later["measure"] == "generations"]
    assert len(later) > 100
    assert len(flagged(later)) / len(later) < 0.05


def test_weekends_are_ordinary() -> None:
    """Half the traffic on weekends is no news, the same on a Wednesday is."""
    usage = quiet_usage()
    weekend = pd.DatetimeIndex(usage["usage_date"]).day_of_week >= 5
    usage = usage.assign(generations=usage["generations"] // np.where(weekend, 2, 1))
    wednesday = usage.loc[
        (usage["provider"] == "nanobanana") & (usage["usage_date"] == PLANTED), "generations"
    ].item()
    usage = plant(usage, "nanobanana", PLANTED, generations=wednesday // 2)
    scored = anomalies.score_usage(usage)
    found = flagged(scored[(scored["measure"] == "generations")])
    assert PLANTED in set(found["usage_date"])
    assert not (pd.DatetimeIndex(found["usage_date"]).day_of_week >= 5).any()


def test_later_days_do_not_change_the_verdict() -> None:
    """What was said of a day stays said."""
    usage = plant(quiet_usage(), "wan", PLANTED, generations=60)
    until = usage[usage["usage_date"] <= PLANTED]
    whole = anomalies.score_usage(usage)
    whole = whole[whole["usage_date"] <= PLANTED]
    key = ["usage_date", "provider", "measure"]
    pd.testing.assert_frame_equal(
        whole.sort_values(key, ignore_index=True),
        anomalies.score_usage(until).sort_values(key, ignore_index=True),
    )


def test_first_weeks_are_not_judged() -> None:
    """Without weeks to compare with there is no score."""
    usage = quiet_usage()
    scored = anomalies.score_usage(usage[usage["usage_date"] < date(2023, 2, 1)])
    assert set(scored["severity"]) == {"not_enough_data"}
    assert scored["score"].isna().all()


@pytest.mark.parametrize(
    "days",
    [1, *(pytest.param(days, marks=pytest.mark.long) for days in (4, 20, 40))],
)
def test_any_stretch_of_days_is_scored(days: int) -> None:
    """A young app has few days, none of them at a turn of the month or all of them."""
    usage = quiet_usage()
    for first in pd.date_range(date(2023, 2, 1), date(2023, 3, 3)):
        dates = pd.to_datetime(usage["usage_date"])
        part = usage[dates.between(first, first + pd.Timedelta(days=days - 1))]
        scored = anomalies.score_usage(part)
        assert len(scored) == len(part) * scored["measure"].nunique()


def test_no_days() -> None:
    """An empty history gives an empty table with every column."""
    scored = anomalies.score_usage(quiet_usage().head(0))
    assert scored.empty
    assert {"score", "severity", "direction", "expected_value"} <= set(scored)


@pytest.mark.parametrize("closed", [(6,), (4, 5), (5, 6), (1, 3, 5, 6)])
@pytest.mark.parametrize("growth", [1.0, 3.0])
def test_regular_closed_days_are_ordinary(closed: tuple[int, ...], growth: float) -> None:
    """Closed weekdays are no outage and hide none, also while the app grows threefold a quarter."""
    days = pd.date_range(date(2023, 1, 1), date(2024, 2, 29))
    is_open = ~days.day_of_week.isin(closed)
    level = 60 * growth ** (np.arange(len(days)) / 91)
    counts = np.random.default_rng(1).poisson(level * is_open)
    usage = quiet_usage().query("provider == 'nanobanana'").head(len(days))
    usage = usage.assign(usage_date=days.date, generations=counts, vendor_cost_usd=0.04 * counts)
    usage = plant(usage, "nanobanana", PLANTED, generations=0)
    scored = anomalies.score_usage(usage)
    scored = scored[scored["measure"] == "generations"].set_index("usage_date")
    assert scored.loc[PLANTED, "severity"] == "critical"
    found = flagged(scored).index.difference([PLANTED])
    assert not pd.DatetimeIndex(found).day_of_week.isin(closed).any()
    assert len(found) / len(scored) < 0.01
    judged = scored[is_open & (scored["severity"] != "not_enough_data")]
    assert len(judged) > 0.7 * is_open.sum()
    ratio = (judged["expected_value"] / level[np.isin(days.date, judged.index)]).iloc[30:]
    assert ratio.median() == pytest.approx(1, abs=0.2 if growth > 1 else 0.05)
