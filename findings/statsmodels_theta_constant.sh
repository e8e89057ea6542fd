#!/usr/bin/env bash
# ThetaModel forecasts 11.21 after 48 months of exactly 5, and a negative cost after 48 of 0.1.
#
# Versions: statsmodels 0.14.6, numpy 2.4.6, pandas 3.0.6, scipy 1.17.1. 0.15.0 answers the same.
# Expected: a flat price has no slope, so the forecast is the price. With 1 it is.
# Seen: fit() finds a slope of about price / (price - 1) in data that has none:
#   0.1 -> -0.45 | 1.0 -> 1.00 | 5.0 -> 11.21 | 100.0 -> 105.02
#   fit(use_mle=True) stays within 0.00001 of the price.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet statsmodels==0.14.6 numpy==2.4.6 pandas==3.0.6 scipy==1.17.1

tools/bin/python - <<'PYTHON'
import warnings
import pandas as pd
from statsmodels.tsa.forecasting.theta import ThetaModel
months = pd.date_range("2021-01-01", periods=48, freq="MS")
seen = {}
for price in (0.1, 1.0, 5.0, 100.0):
    model = ThetaModel(pd.Series(price, index=months), period=12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen[price] = f"{model.fit().forecast(1).iloc[0]:.2f}"
        assert abs(model.fit(use_mle=True).forecast(1).iloc[0] - price) < 1e-5
print(" | ".join(f"{price} -> {forecast}" for price, forecast in seen.items()))
assert seen == {0.1: "-0.45", 1.0: "1.00", 5.0: "11.21", 100.0: "105.02"}
PYTHON
