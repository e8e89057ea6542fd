"""How figures are written: units, digits, and N/A where there is none."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

LONGEST_TEXT = 160
NOT_KNOWN = "N/A"
MINUS = "\N{MINUS SIGN}"


def count(value: int | Decimal) -> str:
    """A number of things; a decimal keeps its digits and loses trailing zeros."""
    value = Decimal(value)
    text = f"{value:,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return _with_minus(text)


def usd(value: Decimal, digits: int = 2) -> str:
    """US dollars."""
    value = rounded(value, digits)
    return f"{MINUS if value < 0 else ''}${abs(value):,.{digits}f}"


def rate(value: Decimal) -> str:
    """A fraction of 1 in percent, two decimals."""
    return _with_minus(f"{rounded(Decimal(value) * 100, 2):.2f}%")


def seconds(value: Decimal) -> str:
    """A duration."""
    return f"{rounded(value, 1):,.1f} s"


def rounded(value: Any, digits: int) -> Decimal:
    """The nearest number with so many decimals, half away from zero as PostgreSQL has it."""
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    result = number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return abs(result) if result == 0 else result


def words(name: str) -> str:
    """The name of a column or of a kind, as people say it."""
    return name.removesuffix("_usd").replace("_", " ")


def figure_name(name: str) -> str:
    """The name of a column of figures, with the unit that its name carries."""
    said = words(name)
    return said[:1].upper() + said[1:] + (", USD" if name.endswith("_usd") else "")


def show(value: Any, kind: str) -> str:
    """A value of a column as text."""
    if value is None:
        return "" if kind in ("text", "note", "words") else NOT_KNOWN
    match kind:
        case "count" | "credits":
            return count(value)
        case "usd":
            return usd(value)
        case "usd4":
            return usd(value, 4)
        case "rate":
            return rate(value)
        case "seconds":
            return seconds(value)
        case "number":
            return count(rounded(value, 2))
        case "month":
            return f"{value:%b %Y}"
        case "date":
            return f"{value:%a} {value.day} {value:%b}"
        case "long_date":
            return f"{value.day} {value:%b %Y}"
        case "time":
            return f"{value.day} {value:%b %Y %H:%M}"
        case "words":
            return words(value)
        case "figure":
            return figure_name(value)
        case "flag":
            return "yes" if value else "no"
        case "note" | "text" if len(str(value)) > LONGEST_TEXT:
            return str(value)[: LONGEST_TEXT - 1] + "…"
    return str(value)


def change(now: Decimal | int | None, before: Decimal | int | None, kind: str) -> str:
    """How a figure differs from an earlier one; empty where either is not known."""
    if now is None or before is None:
        return ""
    difference = Decimal(now) - Decimal(before)
    if kind == "rate":
        points = rounded(difference * 100, 2)
        return f"{arrow(points)} {abs(points):.2f} points" if points else "no change"
    if not difference:
        return "no change"
    if not before:
        return f"{arrow(difference)} {show(abs(difference), kind)}"
    share = rounded(abs(difference) / abs(Decimal(before)) * 100, 1)
    return f"{arrow(difference)} {share:,}%"


def arrow(difference: Decimal) -> str:
    """Up or down, for readers of colour and of none."""
    return (
        "\N{BLACK UP-POINTING TRIANGLE}" if difference > 0 else "\N{BLACK DOWN-POINTING TRIANGLE}"
    )


def _with_minus(text: str) -> str:
    return text.replace("-", MINUS, 1)
