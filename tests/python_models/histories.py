"""Generated histories of usage: trend, weekdays, a price change and noise, all known."""

import importlib.util
from datetime import date
from types import ModuleType

import numpy as np
import pandas as pd

from tests.app_database import PROJECT

PRICES = {"nanobanana": 0.038, "seedream": 0.027, "seedance": 0.15, "wan": 0.25}
GENERATIONS_A_DAY = {"nanobanana": 200, "seedream": 90, "seedance": 15, "wan": 8}
WEEKDAY_FACTORS = np.array([1.05, 1.1, 1.1, 1.05, 1.0, 0.8, 0.7])
FAILURE_RATE = 0.015
TRENDS = ("steady", "linear", "wandering", "bent")


def load_model(name: str) -> ModuleType:
    """Import a Python model's file; its functions are what is tested."""
    path = next((PROJECT / "models").rglob(f"{name}.py"))
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def log_trend(random: np.random.Generator, kind: str, days: int) -> np.ndarray:
    """Logarithm of a provider's level on each day, 0 on the first."""
    day = np.arange(days)
    growth = random.uniform(-0.0005, 0.0025)
    if kind == "linear":
        return np.log(np.maximum(1 + 1.5 * growth * day, 0.3))
    if kind == "wandering":
        return growth * day + np.cumsum(random.normal(0, 0.01, days))
    if kind == "bent":
        bend = random.integers(days * 0.4, days * 0.9)
        return growth * np.minimum(day, bend) + random.uniform(-0.001, 0.002) * np.maximum(
            day - bend, 0
        )
    return growth * day


def history(
    seed: int,
    months: int = 20,
    trend: str = "steady",
    start: date = date(2023, 1, 1),
    noise: float = 0.08,
    with_price_change: bool = True,
) -> pd.DataFrame:
    """Usage by provider and day, as `int_usage_by_provider_day`, of whole months.

    Day-to-day noise is `noise` (a standard deviation of the logarithm) of each provider, half of
    that common to all, and Poisson; the price of two providers rises by a quarter on a random day,
    `attrs["price_change_on"]`.
    """
    random = np.random.default_rng([seed, TRENDS.index(trend)])
    first = pd.Timestamp(start)
    days = pd.date_range(first, first + pd.DateOffset(months=months), inclusive="left")
    change = int(random.integers(len(days) * 0.4, len(days) * 0.95))
    common = random.normal(0, noise / 2, len(days))
    frames = []
    for provider, level in GENERATIONS_A_DAY.items():
        weekdays = WEEKDAY_FACTORS ** random.uniform(0.5, 1.5)
        logs = log_trend(random, trend, len(days)) + common + random.normal(0, noise, len(days))
        generations = random.poisson(level * np.exp(logs) * weekdays[days.day_of_week])
        failed = random.binomial(generations, FAILURE_RATE)
        raised = with_price_change and provider in ("nanobanana", "wan")
        price = np.where(np.arange(len(days)) < change, 1, 1.25 if raised else 1) * PRICES[provider]
        spread = 0.6 * 1.25 / np.sqrt(np.maximum(generations, 1))
        frames.append(
            pd.DataFrame(
                {
                    "usage_date": days.date,
                    "provider": provider,
                    "elapsed_days": 1.0,
                    "generations": generations,
                    "completed_generations": generations - failed,
                    "failed_generations": failed,
                    "vendor_cost_usd": np.round((generations - failed) * price, 6),
                    "refunds_issued": random.binomial(failed, 0.9),
                    "median_duration_seconds": np.where(
                        generations > 0, 20 * np.exp(random.normal(0, spread)), np.nan
                    ),
                }
            )
        )
    usage = pd.concat(frames, ignore_index=True)
    usage.attrs["price_change_on"] = days[change]
    return usage
