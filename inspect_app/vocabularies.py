"""The lists of a mapping: providers and their spellings, types of output, tiers."""

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

from inspect_app import columns, words
from inspect_app.catalogue import TIMES, quoted
from inspect_app.columns import Source
from inspect_app.proposal import HIGH, LOW, MEDIUM, Mapped, ValueRow
from inspect_app.samples import Sampler, number

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
MOST_PROVIDERS = 60
# The units that a price must name, as there are so many in a dollar.
MONEY = {"cent": 100, "usd": 1, "dollar": 1}
SINCE = ["valid_from", "effective_from", "effective_at", "effective_date", "created_at"]
TIERS = (
    *("none", "payg", "free", "trial", "guest", "bronze", "base", "basic", "starter", "hobby"),
    "lite",
    *("personal", "solo", "indie", "silver", "plus", "essential", "gold"),
    *("standard", "growth", "pro", "premium", "creator", "professional", "team", "agency"),
    *("business", "studio", "max", "ultra", "ultimate", "unlimited", "scale", "enterprise"),
    *("weekly", "monthly", "quarterly", "annual", "yearly", "lifetime"),
)

Values = dict[str, list[ValueRow]]


def lists(sampler: Sampler, tables: list[Mapped], is_default: bool) -> tuple[Values, list[str]]:
    """The lists, and what could not be told; `is_default`: an app that needs no mapping."""
    found: Values = {}
    untold = []
    providers = _words(sampler, tables, "provider")
    aliases = {row["alias"]: row["provider"] for row in _seed("provider_aliases")}
    known = {row["provider"] for row in _seed("providers")}
    # An app that calls no other models is of the kind that the lists are made for.
    is_default |= bool(providers) and {aliases.get(word, word) for word in providers} <= known
    if len(providers) > MOST_PROVIDERS:
        untold.append(
            f"There are {len(providers)} providers, too many to be listed: each is shown as it is"
            " named, in months in which it was called."
        )
    elif providers:
        found |= _providers(providers, is_default)
        prices = _prices(sampler, {row.row["provider"] for row in found.get("providers", [])})
        if prices:
            found["provider_prices"] = prices
    types = _words(sampler, tables, "enhancement_type")
    known = {row["enhancement_type"] for row in _seed("enhancement_types")}
    if types and not (is_default and set(types) <= known):
        old = [row for row in _seed("enhancement_types") if is_default]
        found["enhancement_types"] = [
            *(ValueRow(dict(row), "known before") for row in old),
            *(
                ValueRow({"enhancement_type": word, "medium": medium(word)}, *_of_medium(word))
                for word in types
                if not is_default or word not in known
            ),
        ]
    tiers = _tiers(sampler, tables[-1], is_default)
    if tiers:
        found["subscription_tiers"] = tiers
    return found, untold


def _seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _words(sampler: Sampler, tables: list[Mapped], ours: str) -> Counter[str]:
    """The words of one of our columns in all tables, as they are cleaned, by their rows."""
    found: Counter[str] = Counter()
    for mapped in tables:
        line = mapped.line(ours)
        if mapped.table is None or line is None or line.shown == "null":
            continue
        expression = line.expression or quoted(line.value or "")
        counted = sampler.words(mapped.table, expression) or Counter()
        if line.value:
            labels = mapped.table.columns[line.value].labels
            counted = counted + Counter(dict.fromkeys(labels, 0))
            counted.update({label: 0 for label in labels if label not in counted})
        for word, rows in counted.items():
            found[word.strip().lower()] += rows
    found.pop("", None)
    found.pop("unknown", None)
    return Counter(dict(found.most_common()))


def _providers(found: Counter[str], is_default: bool) -> Values:
    aliases = {row["alias"]: row["provider"] for row in _seed("provider_aliases")}
    known = {row["provider"] for row in _seed("providers")}
    first: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for word in sorted(found, key=lambda each: (each not in known, -found[each], each)):
        squeezed = re.sub(r"[^a-z0-9]", "", aliases.get(word, word))
        if squeezed in first and first[squeezed] != word:
            spelled[word] = first[squeezed]
        elif aliases.get(word, word) != word:
            first[squeezed] = aliases[word]
            spelled[word] = aliases[word]
        else:
            first[squeezed] = word
    names = list(dict.fromkeys(first.values()))
    result: Values = {}
    fresh = {word: name for word, name in spelled.items() if aliases.get(word) != name}
    if fresh or (spelled and not is_default):
        result["provider_aliases"] = [
            ValueRow({"alias": word, "provider": name}, "the same but for its punctuation", MEDIUM)
            for word, name in (fresh if is_default else spelled).items()
        ]
    if not is_default or not set(names) <= known:
        old = [row for row in _seed("providers") if is_default]
        rows: list[dict[str, Any]] = [
            {**row, "is_current": row["is_current"] == "true"}
            for row in old
            if row["provider"] != "unknown"
        ]
        result["providers"] = [
            *(ValueRow(row, "known before") for row in rows),
            *(
                ValueRow({"provider": name}, _rows(found[name]))
                for name in names
                if not is_default or name not in known
            ),
        ]
    return result


def _rows(count: int) -> str:
    return f"{count:,} rows" if count != 1 else "1 row"


def medium(word: str) -> str:
    """What comes out of a type: image or video, by its name."""
    # `image_to_video` and `img2vid` are videos.
    target = re.search(r"(?:2|to)[^a-z0-9]*(img|image|photo|vid|video|v|i)$", word.lower())
    if target:
        return "video" if target[1].startswith("v") else "image"
    parts = set(words.tokens(word))
    for name, known in (("video", words.VIDEO), ("image", words.IMAGE)):
        if parts & known:
            return name
    # Two words written as one, such as `genvideo`.
    for name in ("video", "image", "photo"):
        if any(name in part for part in parts):
            return "image" if name == "photo" else name
    return "unknown"


def _of_medium(word: str) -> tuple[str, str]:
    if medium(word) == "unknown":
        return "its name does not say what comes out", LOW
    return "what comes out is in its name", HIGH


def _tiers(sampler: Sampler, balances: Mapped, is_default: bool) -> list[ValueRow]:
    found = _words(sampler, [balances], "subscription_tier")
    known = {row["subscription_tier"] for row in _seed("subscription_tiers")}
    if not found or (is_default and set(found) <= known):
        return []
    credits, label = _plan_credits(sampler, set(found))

    def order(word: str) -> tuple[float, float, str]:
        parts = words.tokens(word)
        usual = min((TIERS.index(part) for part in parts if part in TIERS), default=len(TIERS))
        return (credits.get(word, float("inf")) if credits else 0.0, usual, word)

    rows = []
    for word in sorted({*found, *credits}, key=order):
        row: dict[str, Any] = {"subscription_tier": word}
        if word in credits:
            given = credits[word]
            row["monthly_credits"] = int(given) if given == int(given) else given
        told = f"credits by {label}" if word in credits else "its monthly credits are not known"
        rows.append(ValueRow(row, told, MEDIUM if word in credits else LOW))
    return rows


def _prices(sampler: Sampler, providers: set[str]) -> list[ValueRow]:
    """What a call costs, where a table has it in dollars, and in credits, for each provider."""
    for table in sampler.tables:
        parts = set(words.tokens(table.name))
        is_list = parts & {"model", "price", "pricing", "cost", "provider", "rate"}
        if not table.is_readable or not is_list or columns.users(table):
            continue
        money = columns.named(table, words.COST_COLUMNS, lambda each: each.is_number)
        units = [
            (column, unit)
            for column in money
            for part, unit in MONEY.items()
            if part == next((each for each in MONEY if each in words.tokens(column.name)), "")
        ]
        credits = [
            column
            for column in table.columns.values()
            if column.is_number and set(words.tokens(column.name)) & words.CREDIT
        ]
        since = columns.named(table, SINCE, lambda each: each.type in TIMES)
        names = [*words.PROVIDER_COLUMNS, *words.PLAN_NAMES, "id"]
        for name in columns.named(table, names, lambda each: each.is_text):
            if not units or len(credits) != 1 or not since:
                break
            (price, unit), rows = units[0], []
            for row in sampler.rows(table):
                word = (row[name.name] or "").strip().lower()
                cost, taken = number(row[price.name]), number(row[credits[0].name])
                if word in providers and cost is not None and taken is not None:
                    given = {
                        "provider": word,
                        "valid_from": (row[since[0].name] or "")[:10],
                        "price_usd": float(cost / unit),
                        "credits": float(taken),
                    }
                    rows.append(ValueRow(given, f"{price.name} of {table.label}", MEDIUM))
            if rows:
                return rows
    return []


def _plan_credits(sampler: Sampler, tiers: set[str]) -> tuple[dict[str, float], str]:
    """The monthly credits of tiers, where a table of plans has them."""
    for table in sampler.tables:
        parts = set(words.tokens(table.name))
        if not table.is_readable or not parts & {
            "plan",
            "tier",
            "subscription",
            "price",
            "pricing",
        }:
            continue
        if columns.users(table):
            # A row of a user's own, who may have used some of the credits.
            continue
        amounts = columns.named(table, words.PLAN_CREDITS, lambda each: each.is_number)
        for name in columns.named(table, [*words.PLAN_NAMES, "id"], lambda each: each.is_text):
            if not amounts or not columns.is_vocabulary(sampler, table, Source(name)):
                continue
            found = {
                (row[name.name] or "").strip().lower(): float(amount)
                for row in sampler.rows(table)
                if (amount := number(row[amounts[0].name])) is not None
            }
            if tiers & set(found):
                return found, table.label
    return {}, ""
