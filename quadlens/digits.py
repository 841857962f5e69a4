"""Numbers in few digits: a proved bound is rounded to its safe side, so that what is shown is proved too.

The digits shown are decimal and are rounded in decimal, from the exact value of the float64: no float stands between,
so nothing overflows, and what is read back, as a decimal, lies on the side that is promised.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

LARGEST_EXPONENT, SMALLEST_EXPONENT = 999_999, -999_999


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


def signed_at_least(value: float, digits: int = 3) -> str:
    """Return a term of a lower bound with its sign, rounded down: what the terms shown add up to is no more than it.

    >>> signed_at_least(13.15484, 5), signed_at_least(-2.5)
    ('+13.154', '−2.5')
    """
    return ("+" if value >= 0 else "") + at_least(value, digits)


def below_one(value: float, digits: int = 4) -> str:
    """Return a measured share such as R² with some decimals, to the nearest, but a full 1 only where it is 1.

    >>> below_one(1.0), below_one(0.99999), below_one(-0.25, 2)
    ('1.0000', '> 0.9999', '−0.25')
    """
    shown = f"{value:.{digits}f}".replace("-", "−")
    return f"> 0.{digits * '9'}" if value < 1 <= float(shown.replace("−", "-")) else shown


def percent(share: float, decimals: int = 2) -> str:
    """Return a measured share in per cent, to the nearest, but a full 100 % or 0 % only where it is all or nothing.

    >>> percent(1.0), percent(0.9999999), percent(0.548693), percent(1e-9)
    ('100 %', '99.99 %', '54.87 %', '0.01 %')
    """
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    least = Decimal(1).scaleb(-decimals)
    return f"{min(max(Decimal(100) * Decimal(share), least), 100 - least):.{decimals}f} %"


def percent_at_least(share: float) -> str:
    """Return a lower bound on a share in per cent, rounded down.

    >>> percent_at_least(1.0), percent_at_least(0.548699)
    ('100 %', '54.86 %')
    """
    hundredths = (Decimal(100) * Decimal(share)).quantize(Decimal("0.01"), rounding=ROUND_FLOOR)
    return f"{100 * share:.0f} %" if share in (0, 1) else f"{hundredths} %"


def in_place_of(large: float, small: float) -> str:
    """Return how many times ``small`` goes into ``large``, rounded down: "1/4.7 of", where it is less than that.

    >>> in_place_of(473, 100)
    '4.7'
    """
    return at_least(large / small, 2)


def _shown(value: float, digits: int, rounding: str) -> str:
    """Return ``value`` as ``%g`` writes it, with the digits that the rounding leaves."""
    context = Context(prec=digits, rounding=rounding, Emax=LARGEST_EXPONENT, Emin=SMALLEST_EXPONENT)
    rounded = context.create_decimal(Decimal(float(value)))
    if rounded == 0:
        return "0"
    rounded = rounded.normalize(context)
    exponent = rounded.adjusted()
    if -5 < exponent < digits:
        text = format(rounded, "f")
    else:
        text = f"{format(rounded.scaleb(-exponent, context), 'f')}e{exponent:+03d}"
    return text.replace("-", "−")
