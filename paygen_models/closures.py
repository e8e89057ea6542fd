"""Days without any generation in a series that is otherwise busy: closed days, outages, holes.

A zero among counts of one or two a day is chance and belongs to the distribution of counts. A zero
among counts of many is another state (the app was closed, or down, or its rows were not imported);
it says nothing about the level of the open days. Forecasts and anomaly scores therefore take such
days out and treat the pattern of open days apart: a hurdle model (Mullahy 1986, "Specification and
testing of some modified count data models").

A series is daily, indexed by date, without gaps; null before its first day.
"""

import numpy as np
import pandas as pd

BUSY = 5  # generations on the usual open day; a Poisson count of 5 is zero on 0.7 % of days
USUAL_DAYS = 28  # whose open days say what is usual
HOLE_DAYS = 7  # days in a row without a generation may be an outage, or not imported
HOLE_CHANCE = 0.05  # of so many closed days in a row anywhere in the series; less is a hole
PATTERN_DAYS = 8 * 7  # that tell which weekdays are closed; older ones may be another pattern
CLOSED_SHARE = 0.3  # of a weekday's days; 3 of 8 are a pattern, 2 of 8 can be holidays or an outage
REGULAR = 0.1  # variance of a day's being open that its weekday leaves; 1 day of 9 is a surprise


def closed_days(history: pd.Series) -> pd.Series:
    """Whether each day has no generation although the open days around it have many (bool)."""
    is_open = history.where(history > 0)
    usual = is_open.rolling(USUAL_DAYS, min_periods=1).median().bfill()
    return (history == 0) & (usual >= BUSY)


def run_lengths(flags: pd.Series) -> pd.Series:
    """Length in days of the run of equal flags that each day is part of."""
    return flags.groupby((flags != flags.shift()).cumsum()).transform("size")


def holes(closed: pd.Series) -> pd.Series:
    """Closed days in runs too long to be chance, given how often the app is closed (bool)."""
    lengths = run_lengths(closed)
    chance = len(closed) * closed.mean() ** lengths
    return closed & (lengths >= HOLE_DAYS) & (chance < HOLE_CHANCE)


def open_shares(closed: pd.Series) -> np.ndarray:
    """Probability that the app is open on a day, by weekday from Monday; shape (7,).

    A weekday that is often closed has its own recent share. All others share one rate, over the
    whole series, since outages and holidays meet any of them.
    """
    known = closed[~holes(closed)].astype(float)
    weekdays = known.index.day_of_week
    recent = known.index > closed.index[-1] - pd.Timedelta(days=PATTERN_DAYS)
    closed_share = known[recent].groupby(weekdays[recent]).mean().reindex(range(7), fill_value=0.0)
    often = closed_share >= CLOSED_SHARE
    others = known[~often.to_numpy()[weekdays]]
    rate = others.mean() if len(others) else 0.0
    shares: np.ndarray = 1 - closed_share.where(often, rate).to_numpy()
    return shares


def is_retired(history: pd.Series) -> bool:
    """Whether a series has ended: silent for a week, and twice as long as it ever was lately."""
    active = np.flatnonzero(history.to_numpy() > 0)
    if not len(active):
        return True
    silent = len(history) - 1 - active[-1]
    lately = active[active > active[-1] - PATTERN_DAYS]
    longest = np.diff(lately).max() - 1 if len(lately) > 1 else 0
    return bool(silent >= max(HOLE_DAYS, 2 * longest))


def is_regular(history: pd.Series) -> bool:
    """Whether weekdays tell on which days a series is open, as for a shop or a weekly job."""
    shares = open_shares(history == 0)
    return bool((shares * (1 - shares)).mean() <= REGULAR)
