#!/usr/bin/env bash
# Casting text of more than 38 digits to decimal128 gives another number instead of an error.
#
# Versions: pyarrow 26.0.1.
# Expected: ArrowInvalid, as for 10^38 ("Decimal value does not fit in precision 38").
# Seen: 39 nines become -20847100762815390390123822295304634369.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet pyarrow==26.0.1

tools/bin/python - <<'PYTHON'
import pyarrow as pa
target = pa.decimal128(38, 0)
try:
    pa.array(["1" + "0" * 38]).cast(target)
except pa.ArrowInvalid as error:
    print(error)
else:
    raise AssertionError("10^38 was taken")
nines = pa.array(["9" * 39]).cast(target)[0].as_py()
print(nines)
assert nines == -20847100762815390390123822295304634369
PYTHON
