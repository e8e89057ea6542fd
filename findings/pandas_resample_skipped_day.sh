#!/usr/bin/env bash
# resample("D") in a time zone that skipped a day counts an hour on the wrong day and adds a bin.
#
# Versions: pandas 3.0.6, numpy 2.4.6, tzdata 2026.3.
# Expected: Pacific/Apia went from 29 to 31 December 2011. One call an hour gives 24 calls a day
#   on 29 and 31 December and 1 January, as grouping by index.floor("D") does.
# Seen: the first hour of the 31st is counted on the 29th, and an empty bin labelled 01:00 stands
#   before the bin of midnight of the same day, so the index is not in order:
#   29 00:00-1000 25 | 31 01:00+1400 0 | 31 00:00+1400 23 | 01 00:00+1400 24
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet pandas==3.0.6 numpy==2.4.6 tzdata==2026.3

tools/bin/python - <<'PYTHON'
import pandas as pd
hours = pd.date_range("2011-12-29 10:00", periods=72, freq="h", tz="UTC").tz_convert("Pacific/Apia")
calls = pd.Series(1, index=hours)
days = calls.resample("D").sum()
print(" | ".join(f"{day:%d %H:%M%z} {count}" for day, count in days.items()))
assert [f"{day:%d %H:%M}" for day in days.index] == ["29 00:00", "31 01:00", "31 00:00", "01 00:00"]
assert days.tolist() == [25, 0, 23, 24]
assert not days.index.is_monotonic_increasing
assert calls.groupby(calls.index.floor("D")).sum().tolist() == [24, 24, 24]
PYTHON
