"""`cost_forecast`: better than naive, honest intervals, honest about short histories."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from itertools import product
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest

from paygen_models import forecast as forecasting
from tests.python_models.histories import TRENDS, history

MIDDLE = pd.Timestamp(2024, 3, 16)


def by_measure(usage: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Daily generations and vendor cost by provider."""
    wide = usage.assign(usage_date=pd.to_datetime(usage["usage_date"])).pivot(
        index="usage_date", columns="provider"
    )
    return {
        "generations": wide["generations"].astype(float),
        "vendor_cost": wide["vendor_cost_usd"].astype(float),
    }


def back_test(seeds: range, apply: Callable = map) -> pd.DataFrame:
    """The model's past forecasts of vendor cost, against what came and the naive ones."""
    made = pd.concat(apply(compare, *zip(*product(TRENDS, seeds), strict=True)), ignore_index=True)
    made["pace"] = (
        made["vendor_cost_to_date_usd"]
        / made["elapsed_days"]
        * made["month_start"].dt.days_in_month
    ).where((made["elapsed_days"] > 0) & (made["horizon_months"] == 0))
    for level in forecasting.INTERVALS:
        made[f"within_{level}"] = made["actual"].between(
            made[f"vendor_cost_lower_{level}_usd"], made[f"vendor_cost_upper_{level}_usd"]
        )
    for name in ("vendor_cost_usd", "last_month", "pace"):
        made[f"{name}_error"] = (made[name] / made["actual"] - 1).abs()
    return made


def compare(trend: str, seed: int) -> pd.DataFrame:
    """Past forecasts with the months' actual cost, and that of the month before the forecast."""
    usage = history(seed, months=20, trend=trend)
    cost = by_measure(usage)["vendor_cost"]
    monthly = cost.assign(all=cost.sum(axis=1)).resample("MS").sum().stack()
    made = forecasting.forecast_costs(usage, None)
    made = made[~made["is_current"] & (made["forecast_status"] == "ok")]
    made = made.assign(
        trend=trend,
        month_start=pd.to_datetime(made["month_start"]),
        forecast_date=pd.to_datetime(made["forecast_date"]),
    )
    before = made["forecast_date"].dt.to_period("M").dt.to_timestamp() - pd.DateOffset(months=1)
    changed_on = usage.attrs["price_change_on"]
    made["price_changes"] = (changed_on > made["forecast_date"] - pd.Timedelta(days=7)) & (
        changed_on < made["month_start"] + pd.DateOffset(months=1)
    )
    for name, months in (("actual", made["month_start"]), ("last_month", before)):
        keys = pd.MultiIndex.from_arrays([months, made["provider"]])
        made[name] = monthly.reindex(keys).to_numpy()
    return made.dropna(subset=["actual", "last_month"])


def assert_better_than_naive(made: pd.DataFrame) -> None:
    """Smaller mean error than both naive forecasts, at each horizon."""
    for horizon, rows in made.groupby("horizon_months"):
        assert rows["vendor_cost_usd_error"].mean() < rows["last_month_error"].mean(), horizon
    running = made[made["pace"].notna()]
    assert running["vendor_cost_usd_error"].mean() < running["pace_error"].mean()


def assert_near_nominal(made: pd.DataFrame, tolerance: float) -> None:
    """Intervals hold the share they say, where no price change was yet to come."""
    foreseeable = made[~made["price_changes"]]
    for level in forecasting.INTERVALS:
        covered = foreseeable[f"within_{level}"].mean()
        assert covered == pytest.approx(int(level) / 100, abs=tolerance), level


@pytest.mark.long
def test_better_than_naive_with_honest_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """On histories with trend, weekdays, a price change and noise.

    Errors count whatever happened; no interval can hold a price change that was yet to come.
    """
    monkeypatch.setattr(forecasting, "BACK_TEST_DAYS", (16,))
    made = back_test(range(1))
    assert_better_than_naive(made)
    assert_near_nominal(made, tolerance=0.1)


@pytest.mark.long
def test_better_than_naive_over_many_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same over 60 histories of each trend, on all cores; prints what was measured."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # its threads would wait for each other's cores
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        made = back_test(range(60), pool.map)
    made["is_total"] = made["provider"] == forecasting.TOTAL
    errors = ["vendor_cost_usd_error", "last_month_error", "pace_error", "within_80", "within_95"]
    for by in (["trend", "horizon_months"], ["price_changes", "is_total", "horizon_months"]):
        print(made.groupby(by)[errors].mean().round(3).to_string())
    print(made[errors].mean().round(3).to_string())
    assert_better_than_naive(made)
    assert_near_nominal(made, tolerance=0.05)
    for _, rows in made.groupby(["is_total", "horizon_months"]):
        assert_near_nominal(rows, tolerance=0.08)


def test_every_past_month_end_is_back_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first with eight weeks before it, at each horizon, however long the history."""
    monkeypatch.setattr(
        forecasting, "simulate", lambda history, days: np.full((days, 2), history.mean())
    )
    made = forecasting.forecast_costs(history(1, months=36), None)
    made = made[~made["is_current"] & (made["forecast_status"] == "ok")]
    providers = made.groupby(["forecast_date", "horizon_months"])["provider"].nunique().unstack()
    for day in (1, 16):
        on_day = providers[[made_on.day == day for made_on in providers.index]]
        expected = pd.date_range("2023-03-01", "2025-12-01", freq="MS") + pd.Timedelta(days=day - 1)
        assert list(on_day.index) == list(expected.date)
    assert (providers[[0, 1, 2]] == 5).all(axis=None)


@pytest.mark.parametrize(
    ("scores", "low", "high"), [([], 0.9, 1.1), ([0.5] * 200, 0.5, 0.5), ([2.0] * 200, 2, 2)]
)
def test_past_errors_scale_an_interval(scores: list[float], low: float, high: float) -> None:
    """Without any the simulated width stays about as it is; many outweigh it."""
    assert low <= forecasting.conformal_scale(pd.Series(scores, dtype=float), 0.8) <= high


def test_intervals_learn_from_ended_months_only() -> None:
    """A past forecast's intervals are the same whether or not the days after it are known."""
    usage = by_measure(history(1))
    cut = {measure: days[days.index < MIDDLE] for measure, days in usage.items()}
    made = pd.DataFrame(
        row
        for made_on in (*pd.date_range("2023-08-01", periods=4, freq="MS"), MIDDLE)
        for row in forecasting.forecasts_made_on(usage, made_on, 0.0, None)
    )
    whole, known = (forecasting.calibrated(made, which) for which in (usage, cut))
    pd.testing.assert_frame_equal(whole, known)
    assert not whole.equals(made)


def test_providers_add_up_to_the_total() -> None:
    """Generations and cost of the providers' rows sum to the total's."""
    rows = pd.DataFrame(
        forecasting.forecasts_made_on(by_measure(history(1)), MIDDLE, 0.0, None)
    ).set_index("provider")
    total = rows.loc[["all"]].set_index("month_start")
    parts = rows.drop("all").groupby("month_start")
    for measure in ("generations", "vendor_cost"):
        np.testing.assert_allclose(parts[measure].sum(), total[measure], rtol=1e-9)


def test_a_price_change_is_followed_within_a_week() -> None:
    """Prices doubled eight days ago: next month costs twice, and is not taken for growth."""
    usage = by_measure(history(2, with_price_change=False))
    raised = usage | {"vendor_cost": usage["vendor_cost"].copy()}
    raised["vendor_cost"].loc[MIDDLE - pd.Timedelta(days=8) :] *= 2
    plain, doubled = (
        pd.DataFrame(forecasting.forecasts_made_on(which, MIDDLE, 0.0, None))
        for which in (usage, raised)
    )
    later = plain["horizon_months"] > 0
    np.testing.assert_allclose(
        doubled["vendor_cost"][later], 2 * plain["vendor_cost"][later], rtol=0.02
    )
    np.testing.assert_allclose(doubled["generations"][later], plain["generations"][later])


def test_a_past_forecast_knows_nothing_of_later_days() -> None:
    """The back-test's forecast is that of a history which ends the day before."""
    usage = by_measure(history(1))
    cut = {measure: days[days.index < MIDDLE] for measure, days in usage.items()}
    whole, known = (
        pd.DataFrame(forecasting.forecasts_made_on(which, MIDDLE, 0.0, None))
        for which in (usage, cut)
    )
    pd.testing.assert_frame_equal(whole, known)


def test_the_day_the_budget_is_passed() -> None:
    """Of 31 like days at 10 dollars, a budget of 155 dollars is passed on the 16th."""
    days = pd.date_range("2024-01-01", periods=31)
    daily = pd.Series(10.0, days)
    assert forecasting.day_passed(daily, 155) == pd.Timestamp(2024, 1, 16)
    assert forecasting.day_passed(daily, 310) is None


@pytest.mark.long
def test_the_budget_is_as_likely_passed_as_the_interval_says() -> None:
    """One forecast in ten ends above the 80 % interval's upper bound; what is spent is spent."""
    usage = history(3)
    usage = usage[usage["usage_date"] < usage["usage_date"].max() - pd.Timedelta(days=15)]
    bound = forecasting.forecast_costs(usage, 1.0).query("is_current and provider == 'all'")
    assert bound["vendor_cost_to_date_usd"].iloc[0] > 1
    assert bound["probability_over_budget"].iloc[0] == 1
    for horizon, upper in bound.set_index("horizon_months")["vendor_cost_upper_80_usd"].items():
        made = forecasting.forecast_costs(usage, upper).query("is_current and provider == 'all'")
        chances = made.set_index("horizon_months")["probability_over_budget"]
        assert chances[horizon] == pytest.approx(0.1, abs=0.005)


def test_the_day_of_as_of_counts_as_far_as_it_went() -> None:
    """At noon half of today's expectation is still to come, at midnight all of it."""
    usage = by_measure(history(3))
    morning, noon = (
        pd.DataFrame(
            forecasting.forecasts_made_on(
                {
                    measure: days.mul(days.index != MIDDLE, axis=0)
                    for measure, days in usage.items()
                },
                MIDDLE,
                elapsed,
                None,
            )
        )
        for elapsed in (0.0, 0.5)
    )
    total = (morning["provider"] == "all") & (morning["horizon_months"] == 0)
    half_a_day = (morning["generations"] - noon["generations"])[total].item()
    a_day = usage["generations"].loc[MIDDLE - pd.Timedelta(days=14) :].sum(axis=1).mean()
    assert half_a_day == pytest.approx(a_day / 2, rel=0.35)


@pytest.mark.parametrize("days", [1, 30, 55])
def test_short_history(days: int) -> None:
    """Fewer than eight weeks give rows that say so, and no number."""
    usage = history(4)
    usage = usage[usage["usage_date"] < (pd.Timestamp(2023, 1, 1) + pd.Timedelta(days=days)).date()]
    usage.loc[usage["usage_date"] == usage["usage_date"].max(), "elapsed_days"] = 0.5
    made = forecasting.forecast_costs(usage, 100.0)
    assert len(made) == 5 * 3
    assert set(made["forecast_status"]) == {"not_enough_data"}
    assert made[["vendor_cost_usd", "generations", "budget_passed_on"]].isna().all(axis=None)


def test_a_new_provider_does_not_hide_the_total() -> None:
    """A provider that began three weeks ago has no forecast, the total has."""
    usage = history(5)
    new = (usage["provider"] == "wan") & (usage["usage_date"] < date(2024, 2, 24))
    made = pd.DataFrame(
        forecasting.forecasts_made_on(by_measure(usage[~new]), MIDDLE, 0.0, None)
    ).set_index("provider")["forecast_status"]
    assert set(made["wan"]) == {"not_enough_data"}
    assert set(made["all"]) == {"ok"}


def without_days(usage: pd.DataFrame, provider: str, days: int) -> pd.DataFrame:
    """The usage with nothing of one provider on the last days before `MIDDLE`."""
    dates = pd.to_datetime(usage["usage_date"])
    gone = (usage["provider"] == provider) & (dates >= MIDDLE - pd.Timedelta(days=days))
    return usage.assign(
        **{name: usage[name].mask(gone, 0) for name in ("generations", "vendor_cost_usd")}
    )


def forecast_total(usage: pd.DataFrame) -> pd.DataFrame:
    """The forecasts of generations in total, made on `MIDDLE`."""
    made = pd.DataFrame(forecasting.forecasts_made_on(by_measure(usage), MIDDLE, 0.0, None))
    return made.set_index(["provider", "horizon_months"]).loc["all"]


@pytest.mark.parametrize("days", [8, 16, 27])
def test_a_retired_provider_has_no_forecast_and_spoils_none(days: int) -> None:
    """The end of two thirds of the traffic is neither growth nor decline without end."""
    usage = without_days(history(7, with_price_change=False), "nanobanana", days)
    made = forecast_total(usage)
    others = usage[usage["provider"] != "nanobanana"]
    alone = forecast_total(others)
    assert (made["generations"] < 2 * alone["generations"] + 31 * 200).all()
    status = pd.DataFrame(forecasting.forecasts_made_on(by_measure(usage), MIDDLE, 0.0, None))
    status = status.groupby("provider")["forecast_status"].agg(set)
    assert status["nanobanana"] == {"not_enough_data"}
    assert status["seedream"] == {"ok"}


@pytest.mark.parametrize("days", [1, 3, 6])
def test_an_outage_is_no_trend(days: int) -> None:
    """A few days without generations leave the forecast where it was."""
    usage = history(7, with_price_change=False)
    made = forecast_total(without_days(usage, "nanobanana", days))
    usual = forecast_total(usage)
    later = usual.index > 0
    assert (made["generations"] / usual["generations"])[later].between(0.8, 1.2).all()


@pytest.mark.parametrize("generations", [1, 10, 1000])
def test_a_constant_history_goes_on(generations: int) -> None:
    """No variation at all is no numerical trouble."""
    usage = history(6)
    usage = usage.assign(generations=generations, vendor_cost_usd=0.04 * generations)
    made = pd.DataFrame(forecasting.forecasts_made_on(by_measure(usage), MIDDLE, 0.0, None))
    april = made[(made["horizon_months"] == 1) & (made["provider"] == "wan")]
    assert april["generations"].item() == pytest.approx(30 * generations, rel=0.05)


def one_provider(
    counts: np.ndarray, start: str = "2023-12-31", price: float = 0.038
) -> pd.DataFrame:
    """Usage of one provider from its daily counts; the last day has not begun."""
    days = pd.date_range(start, periods=len(counts))
    elapsed = np.where(days == days[-1], 0.0, 1.0)
    return pd.DataFrame(
        {
            "usage_date": days.date,
            "provider": "nanobanana",
            "elapsed_days": elapsed,
            "generations": counts * (elapsed == 1),
            "vendor_cost_usd": counts * (elapsed == 1) * price,
        }
    )


def current(usage: pd.DataFrame, budget: float | None = None) -> pd.DataFrame:
    """Today's forecast of the total, by horizon."""
    made = forecasting.forecast_costs(usage, budget)
    return made[made["is_current"] & (made["provider"] == "all")].set_index("horizon_months")


@pytest.mark.parametrize(
    ("closed", "counts"),
    [
        ((5, 6), (20, 0)),
        ((5, 6), (20, 5)),
        ((6,), (20, 0)),
        ((4, 5), (300, 0)),
        ((1, 3, 5, 6), (20, 0)),
        ((5, 6), (2, 0)),
    ],
)
def test_regular_closed_days_are_forecast(closed: tuple[int, ...], counts: tuple[int, int]) -> None:
    """An app that is used on certain weekdays only goes on so, in this month and the next two."""
    days = pd.date_range("2023-12-31", "2024-06-30")
    on_day = np.where(days.day_of_week.isin(closed), counts[1], counts[0])
    known = int((days <= "2024-04-09").sum())
    made = current(one_provider(on_day[:known]), budget=1e9)
    by_month = pd.Series(on_day, days).resample("MS").sum()
    for horizon, month in enumerate(("2024-04-01", "2024-05-01", "2024-06-01")):
        assert made["generations"][horizon] == pytest.approx(by_month[month], rel=0.1)
    assert made["budget_passed_on"].isna().all()


def test_closed_days_of_one_provider_do_not_touch_another() -> None:
    """One provider used on working days only, one always: each as it is, and the sum of both."""
    days = pd.date_range("2023-12-31", "2024-04-09")
    working = one_provider(np.where(days.day_of_week < 5, 40, 0))
    always = one_provider(np.full(len(days), 30)).assign(provider="wan")
    made = forecasting.forecast_costs(pd.concat([working, always]), None)
    made = made[made["is_current"] & (made["horizon_months"] == 0)].set_index("provider")
    assert made["generations"]["nanobanana"] == pytest.approx(22 * 40, rel=0.1)
    assert made["generations"]["wan"] == pytest.approx(30 * 30, rel=0.1)
    total = made["generations"]["all"]
    assert total == pytest.approx(made["generations"].drop("all").sum(), abs=2)


def test_outages_beside_closed_days() -> None:
    """Days without generations in an app closed at weekends leave its next month as it was."""
    days = pd.date_range("2023-10-01", "2024-04-09")
    counts = np.where(days.day_of_week < 5, 40, 0) * ~days.isin(
        pd.date_range("2024-03-19", periods=3)
    )
    made = pd.DataFrame(
        forecasting.forecasts_made_on(by_measure(one_provider(counts)), days[-1], 0.0, None)
    ).set_index(["provider", "horizon_months"])
    assert made.loc[("all", 1), "generations"] == pytest.approx(23 * 40, rel=0.1)


def grown(factor_a_month: float, until: int, days: int = 220) -> np.ndarray:
    """Counts that grow for `until` days before today from 10 a day, and then stay."""
    age = np.arange(days) - (days - 150)
    return 10 * factor_a_month ** (np.clip(age, 0, until) / 30)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("ended", [20, 50])
def test_growth_that_has_ended_is_not_carried_on(ended: int, seed: int) -> None:
    """Threefold a month, then none: no forecast is far above what the app has now."""
    counts = np.random.default_rng(seed).poisson(grown(3, 150 - ended))
    made = current(one_provider(counts))
    now = counts[-15:-1].mean()
    assert (made["generations"].astype(float) < 31 * now * 2).all()


def test_a_model_that_lost_shows_the_naive_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its status says so, providers still add up, and the budget's fields follow the figure."""
    monkeypatch.setattr(
        forecasting, "simulate", lambda history, days: np.full((days, 3), 9.6 * history.mean())
    )
    usage = history(1, months=8)
    usage = usage[usage["usage_date"] < date(2023, 8, 20)]
    usage.loc[usage["usage_date"] == date(2023, 8, 19), "elapsed_days"] = 0.5
    made = forecasting.forecast_costs(usage, 1.0)
    made = made[made["is_current"]].set_index(["horizon_months", "provider"])
    assert set(made["forecast_status"]) == {"naive"}
    july = usage[pd.to_datetime(usage["usage_date"]).dt.month == 7]["generations"].sum()
    august = usage[pd.to_datetime(usage["usage_date"]).dt.month == 8]["generations"].sum()
    assert made["generations"][1, "all"] == pytest.approx(july, abs=2)
    assert made["generations"][2, "all"] == pytest.approx(july, abs=2)
    assert august < made["generations"][0, "all"] < august + 0.6 * july
    for horizon in range(3):
        rows = made.loc[horizon]
        for measure in ("generations", "vendor_cost_usd"):
            parts = rows[measure].drop("all").sum()
            assert float(rows[measure]["all"]) == pytest.approx(float(parts), abs=4)
        bounds = ["lower_95", "lower_80", None, "upper_80", "upper_95"]
        names = [f"generations_{bound}" if bound else "generations" for bound in bounds]
        assert (
            rows[names].astype(float).apply(lambda row: row.is_monotonic_increasing, axis=1).all()
        )
    assert made["probability_over_budget"].xs("all", level=1).eq(1).all()
    spent = usage[usage["usage_date"] >= date(2023, 8, 1)].groupby("usage_date")
    assert spent["vendor_cost_usd"].sum().iloc[0] > 1
    assert made["budget_passed_on"][0, "all"] == date(2023, 8, 1)


def test_status_ok_only_where_the_back_test_was_not_lost() -> None:
    """By the rows that `forecast_accuracy` shows, whatever the series does."""
    counts = np.random.default_rng(3).poisson(grown(3, 100))
    usage = one_provider(counts, start="2023-08-01")
    made = forecasting.forecast_costs(usage, None)
    months = usage.groupby(pd.to_datetime(usage["usage_date"]).dt.to_period("M"))[
        "generations"
    ].sum()
    past = made[
        ~made["is_current"] & (made["forecast_status"] == "ok") & (made["provider"] == "all")
    ]
    month = pd.PeriodIndex(past["month_start"], freq="M")
    before = pd.PeriodIndex(past["forecast_date"], freq="M") - 1
    past = past.assign(
        actual=months.reindex(month).to_numpy(), last=months.reindex(before).to_numpy()
    )
    past = past[month < pd.Period(usage["usage_date"].max(), "M")]
    today = made[made["is_current"] & (made["provider"] == "all")].set_index("horizon_months")
    assert len(past) > 4
    for horizon, rows in past[past["horizon_months"] > 0].groupby("horizon_months"):
        model = (rows["generations"].astype(float) - rows["actual"]).abs().sum()
        if model > (rows["last"] - rows["actual"]).abs().sum():
            assert today["forecast_status"][horizon] == "naive"


def test_thin_series_are_naive() -> None:
    """Bursts on random days are no pattern: the figure is last month's, and says so."""
    random = np.random.default_rng(5)
    counts = random.poisson(8, 200) * (random.random(200) < 0.25)
    counts[-3] = 8
    made = current(one_provider(counts))
    assert set(made["forecast_status"]) == {"naive"}
    assert (made["generations_upper_80"] > made["generations"]).all()


@pytest.mark.parametrize("setting", [None, "None", ""])
def test_no_budget(setting: str | None) -> None:
    """An unset variable arrives in several shapes."""
    assert forecasting.checked_budget(setting) is None


@pytest.mark.parametrize("setting", ["plenty", "0", "-1", "inf", "nan", True])
def test_a_budget_that_is_none(setting: object) -> None:
    """What is no amount is refused in words."""
    with pytest.raises(
        ValueError, match=r"monthly_budget_usd is '.*': it must be a number above 0"
    ):
        forecasting.checked_budget(setting)
