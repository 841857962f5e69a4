"""The families of identities, in reading order, and the statements stored for each."""

from importlib import import_module

from quadlens.errors import OptionError
from quadlens.identities.statement import Statement

FAMILIES = (
    "product_to_sum",
    "rectified_cosine",
    "pizza_integral",
    "exact_arcs",
    "rectangle_bound",
    "infinite_width_limit",
    "secondary_frequency",
    "flattest_response",
    "harmonic_error",
    "equally_spaced_phases",
    "squared_distance",
    "random_phases",
    "gate_lemma",
    "margin_certificate",
    "activations",
    "torus_quadrature",
)


def statements_of(family: str) -> tuple[Statement, ...]:
    """Return the statements stored for one family.

    Raises
    ------
    OptionError
        If there is no such family.
    """
    if family not in FAMILIES:
        raise OptionError(f"no family of identities is called {family!r}; choose from {', '.join(FAMILIES)}")
    stored: tuple[Statement, ...] = import_module(f"quadlens.identities.stored.{family}").STATEMENTS
    return stored


def all_statements() -> tuple[Statement, ...]:
    """Return every stored statement, family by family."""
    return tuple(statement for family in FAMILIES for statement in statements_of(family))
