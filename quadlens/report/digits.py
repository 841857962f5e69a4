"""Numbers in few digits: a proved bound is rounded to its safe side, so that what is shown is proved too."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal


def number(value: float, digits: int = 3) -> str:
    """Return a measured number, to the nearest, with a true minus sign."""
    return _shown(value, digits, ROUND_HALF_EVEN)


def at_most(value: float, digits: int = 3) -> str:
    """Return an upper bound, rounded up.

    >>> at_most(0.34211), at_most(-0.34211)
    ('0.343', '−0.342')
    """
    return _shown(value, digits, ROUND_CEILING)


def at_least(value: float, digits: int = 3) -> str:
    """Return a lower bound, rounded down.

    >>> at_least(13.15484, 5), at_least(-2.3)
    ('13.154', '−2.3')
    """
    return _shown(value, digits, ROUND_FLOOR)


def _shown(value: float, digits: int, rounding: str) -> str:
    rounded = Context(prec=digits, rounding=rounding).create_decimal(Decimal(value))
    return f"{float(rounded):.{digits}g}".replace("-", "−")
