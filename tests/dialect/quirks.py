"""What engines read in different ways: blanks, letters, fractions of a second, halves, ties."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.oracle import AppTables
from tests.oracle.cleaning import clean_id

BLANKS = ["\u00a0", "\t", "\n", "\r", "\v", "\u2003", "\u3000", "\ufeff", " \u00a0 ", "  "]
NAMES = [
    *("Größe", "ÉCLAIR", "e\u0301clair", "İstanbul", "Σίσυφος", "\ufb01ne", "straße/été"),
    *("模型", "生成する画像の説明", "🍌", "flux-20240115", "FLUX.1 Pro", "model 3 b", "key_1"),
    *("a1b2c3d4e5f6a7b8", "abcdefghijklmnop1", "aBcDeFgHiJkL", "a cat on the moon", "12"),
    *("anna@example.com", "10.0.0.1", "https://x.test/a", "x" * 41, "3/4/5/6", "\\d", "50%"),
    *("o'brien", '"quoted"', "a\nb", "-", ".", "_"),
]
IDS = [
    *("order-1", "ORDER-1", "order_17|b", "id:4", "1234567", "123456789", "+43 660 1234567"),
    *("anna@example.com", "eyJhbGciOi.x", "sk-abc", "x" * 65, "café", "a b", "0", "-", "\\", "%"),
    *("{0123456789abcdef0123456789abcdef}", "0123-4567-89ab-cdef-0123-4567-89AB-CDEF"),
    *("0123456789abcdef0123456789abcde", "{01234567-89ab-cdef-0123-456789abcdef", "1.2.3.4.5"),
]
COSTS = [
    *("0.0000005", "0.0000015", "0.0000025", "0.0002465", "0.0381234", "1.0000005"),
    *("0.000000000001", "999999999.9999999", "1000000000", "1000000000.000001", "-0.0000001"),
]
CREDITS = [
    *("0.005", "0.0000015", "2.000000", "100000000000", "1000000000000001", "0.333333333333"),
]
FRACTIONS = [1, 499, 500, 501, 1500, 2500, 500_500, 999_499, 999_500, 999_999]


def with_quirks(tables: AppTables, seed: int) -> AppTables:
    """The same rows, many of which have one such value; some stand twice, with equal times."""
    random = Random(seed)
    # Rows of one id in all its places keep it one, however it is spelled.
    renamed: dict[str, str | None] = {}

    def quirk(name: str, value: Any) -> Any:
        pick = random.choice
        if name in ("id", "user_id", "api_request_id") and isinstance(value, str):
            known = clean_id(value) or value
            renamed.setdefault(known, pick([None] * 12 + IDS))
            value = renamed[known] or value
        if random.random() < 0.75 or value is None:
            return value
        if isinstance(value, str):
            if name in ("provider", "enhancement_type", "status", "subscription_tier"):
                value = pick([value, value.upper(), *NAMES])
            return pick(["", *BLANKS]) + value + pick(["", *BLANKS])
        if name.endswith("_at"):
            return value + timedelta(microseconds=pick(FRACTIONS))
        if name == "cost_usd":
            return Decimal(pick(COSTS))
        if name in ("credits_used", "current_balance"):
            return Decimal(pick(CREDITS))
        return value

    quirky = {
        table: [{name: quirk(name, value) for name, value in row.items()} for row in rows]
        for table, rows in vars(tables).items()
    }
    for rows in quirky.values():
        for row in random.sample(rows, len(rows) // 10):
            changed = random.choice([each for each in row if each not in ("id", "updated_at")])
            rows.append({**row, changed: random.choice(rows)[changed]})
        random.shuffle(rows)
    return AppTables(**quirky)
