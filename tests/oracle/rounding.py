"""How figures are rounded."""

from decimal import ROUND_HALF_UP, Decimal


def rounded(value: Decimal | None, digits: int) -> Decimal | None:
    """A number to so many decimals, halves away from zero as SQL rounds them."""
    return None if value is None else value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
