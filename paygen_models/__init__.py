"""What the Python models compute; the model files under `models/` only pass tables in and out.

`closures` tells days on which an app is closed from days of few generations, `structural` fits and
simulates one daily series, `forecast` makes and judges forecasts, `anomalies` scores past days.
"""
