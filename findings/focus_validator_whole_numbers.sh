#!/usr/bin/env bash
# A CSV column of whole numbers is "not of type Decimal": a file of costs in whole dollars fails.
#
# Versions: focus-validator 2.2.1 with the rules it carries, 1.2.0.1. Needs Python 3.12 or newer
#   (PYTHON=python3.12) and pyarrow before 21.
# Expected: CSV has no types, and FOCUS's numeric format allows a number without a point.
# Seen: the type is guessed for the whole column, so one other row decides:
#   5,7: FAIL, BilledCost MUST be of type DECIMAL, DOUBLE, or FLOAT. | 5,7.5: PASS
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.12}" -m venv tools
tools/bin/pip install --quiet focus-validator==2.2.1 'pyarrow==20.0.0'

check() {
    printf 'BilledCost\n%s\n%s\n' "$1" "$2" > costs.csv
    tools/bin/focus-validator --data-file costs.csv --validate-version 1.2 --block-download \
        --filter-rules BilledCost > report.txt 2> log.txt
    grep "BilledCost-C-001-M: $3" report.txt
    grep -q 'BilledCost-C-002-M: PASS' report.txt
}
check 5 7 'FAIL .*BilledCost MUST be of type DECIMAL, DOUBLE, or FLOAT.'
check 5 7.5 'PASS'
