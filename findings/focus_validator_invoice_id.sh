#!/usr/bin/env bash
# Every FOCUS 1.2 file with an InvoiceId column fails one of two rules, and the exit code is 0.
#
# Versions: focus-validator 2.2.1 with the rules it carries, 1.2.0.1. Needs Python 3.12 or newer
#   (PYTHON=python3.12) and pyarrow before 21.
# Expected: the rules are two halves of one: null without an invoice, not null with one. Their
#   parent rule takes either, and passes. A file with an invoice, or without, fails no rule.
# Seen: both halves are applied to every row.
#   INV-1: InvoiceId MUST be NULL. exit 0 | (null): InvoiceId MUST NOT be NULL. exit 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.12}" -m venv tools
tools/bin/pip install --quiet focus-validator==2.2.1 'pyarrow==20.0.0'

check() {
    printf 'BillingAccountId,InvoiceId\naccount-1,%s\n' "$1" > costs.csv
    tools/bin/focus-validator --data-file costs.csv --validate-version 1.2 --block-download \
        --filter-rules InvoiceId > report.txt 2> log.txt
    echo "${1:-(null)}: exit $?"
    grep -E '^- InvoiceId-C|InvoiceId-C-003-C: PASS' report.txt
    test "$(grep -c '^- InvoiceId-C' report.txt)" = 1
    grep -q 'InvoiceId-C-003-C: PASS' report.txt
    grep -q "^- $2" report.txt
}
check 'INV-1' 'InvoiceId-C-004-C: violations=1; InvoiceId MUST be NULL.'
check '' 'InvoiceId-C-005-C: violations=1; InvoiceId MUST NOT be NULL.'
