r"""The certificate: what was proved about which network, how, and at what cost.

Inputs are sorted into the ``p`` classes ``d = a − b mod p``, ``p`` inputs each. A class carries a lower bound on the
margin (the logit of
``a + b mod p`` minus the largest other) over its inputs and the number of its inputs that are proved right. Accuracy
and
margin of the whole network follow from the classes, so a certificate cannot contradict itself.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from quadlens.certificates.record import words as claims_in_words
from quadlens.circuits.provenance import Provenance
from quadlens.data_frame import data_frame
from quadlens.digits import at_least, signed_at_least
from quadlens.errors import CertificateError
from quadlens.text_table import html_table, text_table

METHODS = ("rectangle", "mlp", "interval", "linear", "smooth", "adaptive", "brute-force", "exact")
COMPLETE = ("adaptive", "exact")
"""Methods that decide every input: what they do not certify is misclassified."""

ERRORS = ("share", "direct", "folded", "identity", "phase_mismatch", "total", "actual")
"""What ``rectangle`` says of the fitted rule of each frequency, and not of the MLP: its share of the weight ``Σ r u``
(measured), five proved bounds on the rule's distance from the integral and that distance measured, all relative to the
target's amplitude."""

ARCS = ("arcs_bound", "arcs_operations", "rectangle_operations")
"""The rule's distance proved by exact arcs, and what the two kinds of bounds cost; older files lack all three."""

RULE = ("arcs_bound", "rectangle_bound", "actual")
"""What ``mlp`` says of each frequency's fitted rule beside the MLP's own part there; None without."""

SILENT = ("rectangle", "mlp")
"""Methods that say nothing about inputs."""

IDEAL = ("relative_error_bound", "sup_error_bound", "relative_error_measured")
"""Numbers of each ideal that ``mlp`` compares with; the first is that of the refined integrals."""

EVALUATIONS = ("weights", "tables")
"""What a float32 pass may be made of: the stored weights, layer by layer, or the tables where only they are stored."""

LISTED = 10_000
"""Most misclassified inputs that a certificate lists; their number is always given."""

MAX_TEXT = 4_000
MAX_P = 1_000_000
MAX_NODES = 5_000_000
MAX_DEPTH = 8

Ledger = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassBound:
    """What is proved of the ``p`` inputs with ``a − b ≡ difference mod p``.

    ``margin_lower_bound`` holds for every input of the class; ``certified`` of them are proved right. ``ledger`` says
    what the bound is
    made of: its values add up to ``margin_lower_bound`` within rounding (the ideal margin positive, what each error
    term costs negative).
    """

    difference: int
    margin_lower_bound: float
    certified: int
    ledger: Ledger = ()

    def __post_init__(self) -> None:
        _integer(self.difference, "a class", 0, MAX_P)
        _finite(self.margin_lower_bound, f"the margin of class {self.difference}")
        _integer(self.certified, f"the certified inputs of class {self.difference}", 0, MAX_P)
        object.__setattr__(self, "margin_lower_bound", float(self.margin_lower_bound))
        object.__setattr__(self, "ledger", _ledger(self.ledger))


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A method's claim about one network, with everything needed to check it.

    Parameters
    ----------
    method : one of ``METHODS``
    p, neurons, parameters : of the circuit; ``parameters`` is ``P = 3pn + 2p²``
    activation : the circuit's
    sha256 : SHA-256 of the network (``quadlens.certificates.record.digest``): of the stored weights where the circuit
        has them, else of its tables
    classes : one ``ClassBound`` for each ``d = 0 … p−1``, in order; empty where the method says nothing about inputs
    ledger : the terms at the worst class
    arithmetic : how rounding was handled, in words
    operations, brute_force_operations : counted operations of this proof, and the ``2p³n`` of running all inputs
    seconds : wall-clock time of the proof
    prover : what the prover chose (cells, groups with their curves, retained frequencies, …): enough to recompute the
        bounds. JSON values only
    misclassified, misclassified_count : inputs ``(a, b)`` proved wrong, the first ``LISTED`` in order, and their
        number; None where not decided
    frequencies : ``rectangle``: one record for the fitted rule of each key frequency (``ERRORS``); ``mlp``: what is
        proved and measured of the MLP at each (``bound``, ``measured``), and of its rule (``RULE``)
    ideals : ``mlp`` only: what the MLP is compared with, and what is proved of each, all relative to its own norm
    float32_error : proved bound on the rounding error of a margin in float32, any order of summation; None where not
        computed
    float32_evaluation : what it is about: ``weights`` (the stored weights, layer by layer) or ``tables``; None with it
    blame : sentences naming the term and the group that keep classes from being certified
    refusal : why nothing could be proved, or None
    provenance : where the circuit came from: what was assumed, left out or frozen; None where that was not recorded

    Raises
    ------
    CertificateError
        If a value is not finite, out of range, or contradicts another.
    """

    method: str
    p: int
    neurons: int
    parameters: int
    activation: str
    sha256: str
    arithmetic: str
    operations: int
    brute_force_operations: int
    seconds: float
    classes: tuple[ClassBound, ...] = ()
    ledger: Ledger = ()
    prover: Mapping[str, Any] = field(default_factory=dict)
    misclassified: tuple[tuple[int, int], ...] | None = None
    misclassified_count: int | None = None
    frequencies: tuple[Mapping[str, Any], ...] | None = None
    ideals: tuple[Mapping[str, Any], ...] | None = None
    float32_error: float | None = None
    float32_evaluation: str | None = None
    blame: tuple[str, ...] = ()
    refusal: str | None = None
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise CertificateError(f"method must be one of {', '.join(METHODS)}; got {self.method!r}")
        _integer(self.p, "p", 3, MAX_P)
        _integer(self.neurons, "neurons", 1, 2**40)
        expected = 3 * self.p * self.neurons + 2 * self.p * self.p
        if self.parameters != expected:
            raise CertificateError(f"parameters must be 3pn + 2p² = {expected}, got {self.parameters!r}")
        if not isinstance(self.sha256, str) or len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise CertificateError(f"sha256 must be 64 hexadecimal digits (SHA-256), got {self.sha256!r:.80}")
        for name in ("operations", "brute_force_operations"):
            _integer(getattr(self, name), name, 0, 2**100)
        _finite(self.seconds, "seconds", least=0.0)
        for name in ("activation", "arithmetic"):
            _text(getattr(self, name), name)
        for sentence in self.blame:
            _text(sentence, "a blame sentence")
        if self.refusal is not None:
            _text(self.refusal, "the refusal")
        if self.float32_error is not None:
            _finite(self.float32_error, "float32_error", least=0.0)
        expected_evaluations = (None,) if self.float32_error is None else EVALUATIONS
        if self.float32_evaluation not in expected_evaluations:
            wanted = "absent without a float32_error" if self.float32_error is None else " or ".join(EVALUATIONS)
            raise CertificateError(f"float32_evaluation must be {wanted}, got {self.float32_evaluation!r:.80}")
        if self.provenance is not None and not isinstance(self.provenance, Provenance):
            raise CertificateError(f"provenance must be a Provenance or None, got {type(self.provenance).__name__}")
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "blame", tuple(self.blame))
        object.__setattr__(self, "ledger", _ledger(self.ledger))
        object.__setattr__(self, "prover", _frozen(self.prover, "prover"))
        if not isinstance(self.prover, Mapping):
            raise CertificateError(f"prover must be an object, got {type(self.prover).__name__}")
        self._check_frequencies()
        self._check_classes()
        self._check_misclassified()

    def _check_frequencies(self) -> None:
        if (self.frequencies is not None) != (self.method in SILENT and self.refusal is None):
            raise CertificateError(f"frequencies belong to the methods {' and '.join(SILENT)}, and to them alone")
        if (self.ideals is not None) != (self.method == "mlp" and self.refusal is None):
            raise CertificateError("ideals belong to the method mlp, and to it alone")
        if self.ideals is not None:
            self._check_ideals(_frozen(tuple(self.ideals), "ideals"))
            return
        if self.frequencies is not None:
            frozen = _frozen(tuple(self.frequencies), "frequencies")
            for record in frozen:
                known = {"frequency", *ERRORS}
                if not isinstance(record, Mapping) or set(record) not in (known, known | set(ARCS)):
                    raise CertificateError(
                        f"every record of frequencies holds frequency, {', '.join(ERRORS)}, and all or none of "
                        f"{', '.join(ARCS)}"
                    )
                _integer(record["frequency"], "a frequency", 1, self.p // 2)
                for key in record.keys() - {"frequency"}:
                    _finite(record[key], f"{key} of frequency {record['frequency']}", least=0.0)
            object.__setattr__(self, "frequencies", frozen)

    def _check_ideals(self, ideals: tuple[Any, ...]) -> None:
        keys = {"name", "numbers", *IDEAL, "inputs_measured", "classes", "frequencies", "terms"}
        if not ideals:
            raise CertificateError("ideals must hold one ideal at least")
        for ideal in ideals:
            if not isinstance(ideal, Mapping) or set(ideal) != keys:
                raise CertificateError(f"every one of ideals holds {', '.join(sorted(keys))}")
            _text(ideal["name"], "the name of an ideal")
            for key in IDEAL:
                _finite(ideal[key], f"{key} of the {ideal['name']}", least=0.0)
            _integer(ideal["inputs_measured"], "inputs_measured", self.p, self.p * self.p)
            if ideal["inputs_measured"] % self.p:
                raise CertificateError(f"inputs_measured counts all b for some a: a multiple of p, {self.p}")
            lists = [ideal[key] for key in ("numbers", "classes", "frequencies", "terms")]
            if not all(isinstance(entry, tuple) for entry in lists) or len(ideal["classes"]) != self.p:
                raise CertificateError(f"the {ideal['name']} needs lists of numbers, {self.p} classes and frequencies")
            for value in ideal["classes"]:
                _finite(value, "the bound of a class", least=0.0)
            self._check_frequency_records(ideal["frequencies"], ("bound", "measured"), ())
            for number in ideal["numbers"]:
                self._check_numbers(number)
            keys_of = [number["frequency"] for number in ideal["numbers"]]
            if not keys_of or keys_of != sorted(set(keys_of)):
                raise CertificateError(f"numbers must be of increasing frequencies, one at least; got {keys_of!r:.80}")
            for term in ideal["terms"]:
                if not isinstance(term, Mapping) or set(term) != {"term", "value"}:
                    raise CertificateError("every one of terms holds term and value")
                _text(term["term"], "a term")
                _finite(term["value"], f"the term {term['term']}", least=0.0)
        frozen = _frozen(tuple(self.frequencies or ()), "frequencies")
        self._check_frequency_records(frozen, ("bound", "measured"), RULE)
        own = [{key: record[key] for key in ("frequency", "bound", "measured")} for record in frozen]
        if own != [dict(record) for record in ideals[0]["frequencies"]]:
            raise CertificateError("frequencies must repeat what the first ideal says of each")
        object.__setattr__(self, "ideals", ideals)
        object.__setattr__(self, "frequencies", frozen)

    def _check_numbers(self, number: Mapping[str, Any]) -> None:
        """Check the numbers of one frequency of an ideal."""
        pairs = ("e_A", "e_B", "s_A", "s_B")
        if not isinstance(number, Mapping) or set(number) != {"frequency", "weight", "kappa", *pairs}:
            raise CertificateError(f"numbers hold frequency, weight, kappa, {', '.join(pairs)}")
        _integer(number["frequency"], "a frequency", 1, self.p // 2)
        _finite(number["weight"], "a weight", least=0.0)
        _finite(number["kappa"], "kappa")
        for key in pairs:
            if not isinstance(number[key], tuple) or len(number[key]) != 2:
                raise CertificateError(f"{key} must be a pair [re, im], got {number[key]!r:.80}")
            for part in number[key]:
                _finite(part, f"{key} of frequency {number['frequency']}")

    def _check_frequency_records(
        self, records: tuple[Any, ...], keys: tuple[str, ...], optional: tuple[str, ...]
    ) -> None:
        for record in records:
            if not isinstance(record, Mapping) or set(record) != {"frequency", *keys, *optional}:
                raise CertificateError(f"every record of frequencies holds frequency, {', '.join((*keys, *optional))}")
            _integer(record["frequency"], "a frequency", 1, self.p // 2)
            for key in (*keys, *optional):
                if record[key] is not None or key in keys:
                    _finite(record[key], f"{key} of frequency {record['frequency']}", least=0.0)

    def _check_classes(self) -> None:
        silent = self.method in SILENT or self.refusal is not None
        if silent != (not self.classes):
            need = "has no" if silent else "needs its"
            raise CertificateError(f"a {self.method} certificate {need} classes, got {len(self.classes)}")
        if silent:
            return
        if [bound.difference for bound in self.classes] != list(range(self.p)):
            raise CertificateError(f"classes must be d = 0 … {self.p - 1} in order, got {len(self.classes)} others")
        for bound in self.classes:
            margin, certified, name = bound.margin_lower_bound, bound.certified, f"class {bound.difference}"
            if certified > self.p:
                raise CertificateError(f"{name} has {self.p} inputs, but {certified} are claimed certified")
            if margin > 0 and certified < self.p:
                raise CertificateError(f"{name} has margin {margin} > 0: {self.p} are certified, not {certified}")
            # a margin that is positive but below the smallest float64 is rounded down to 0
            if certified == self.p and margin < 0:
                raise CertificateError(f"{name} is certified whole, so its margin bound cannot be {margin}")

    def _check_misclassified(self) -> None:
        if (self.misclassified is None) != (self.misclassified_count is None):
            raise CertificateError("misclassified and misclassified_count go together; give both or neither")
        if self.misclassified is None or self.misclassified_count is None:
            if self.method in COMPLETE and self.classes:
                raise CertificateError(f"{self.method} decides every input: it must list the misclassified ones")
            return
        inputs = self.p * self.p
        _integer(self.misclassified_count, "misclassified_count", 0, inputs)
        pairs = tuple(tuple(pair) for pair in self.misclassified)
        listed = min(self.misclassified_count, LISTED)
        if len(pairs) != listed:
            raise CertificateError(f"misclassified must list {listed} inputs, got {len(pairs)}")
        for pair in pairs:
            if len(pair) != 2:
                raise CertificateError(f"a misclassified input is a pair (a, b), got {pair!r:.80}")
            for residue in pair:
                _integer(residue, "a residue of a misclassified input", 0, self.p - 1)
        if list(pairs) != sorted(set(pairs)):
            raise CertificateError("misclassified inputs must be distinct and in order of (a, b)")
        decided = self.certified_inputs + self.misclassified_count
        if decided > inputs or (self.method in COMPLETE and decided != inputs):
            raise CertificateError(
                f"{self.certified_inputs} certified and {self.misclassified_count} misclassified inputs"
                f" do not fit the {inputs} inputs of method {self.method}"
            )
        object.__setattr__(self, "misclassified", pairs)

    @property
    def relative_error_bound(self) -> float | None:
        """``mlp``: the proved L2 distance from the refined integrals, relative to their norm; else None."""
        return self._of_ideal("relative_error_bound")

    @property
    def sup_error_bound(self) -> float | None:
        """``mlp``: the same of the largest logit; else None."""
        return self._of_ideal("sup_error_bound")

    @property
    def relative_error_measured(self) -> float | None:
        """``mlp``: the L2 distance as measured, over ``inputs_measured`` inputs; else None."""
        return self._of_ideal("relative_error_measured")

    def _of_ideal(self, key: str) -> float | None:
        return None if self.ideals is None else float(self.ideals[0][key])

    @property
    def certified_inputs(self) -> int:
        """Number of inputs proved right."""
        return sum(bound.certified for bound in self.classes)

    @property
    def certified_accuracy(self) -> float:
        """Fraction of all p² inputs proved right; exactly 1.0 only if all are."""
        return self.certified_inputs / (self.p * self.p)

    @property
    def margin_lower_bound(self) -> float | None:
        """Lower bound on the margin over all inputs; None where the method gives none."""
        return min((bound.margin_lower_bound for bound in self.classes), default=None)

    @property
    def certified(self) -> bool:
        """Whether every input is proved right."""
        return bool(self.classes) and self.certified_inputs == self.p * self.p

    @property
    def decides_every_input(self) -> bool:
        """Whether each input is proved right or proved wrong."""
        return bool(self.classes) and self.certified_inputs + (self.misclassified_count or 0) == self.p * self.p

    @property
    def succeeded(self) -> bool:
        """Whether the method proved what it is for: every input right, or (``mlp``) a bound
        below 1, or (``rectangle``) one on the fitted rule of every frequency that a sentence counts.
        """
        if self.ideals is not None:
            return bool(self.ideals[0]["relative_error_bound"] < 1)
        if self.frequencies is not None:
            return all(record["total"] < 1 for record in claims_in_words.main_rules(self.frequencies))
        return self.certified

    @property
    def verdict(self) -> str:
        """The result in one line: ``certified``, ``not certified``, ``refused`` or (``mlp``) ``proved`` comes first."""
        return claims_in_words.verdict(self)

    def __repr__(self) -> str:
        head = f"Certificate(method={self.method!r}, p={self.p}, neurons={self.neurons}, {self.verdict!r})"
        return "\n".join([head, *text_table(*self._ledger_table())]) if self.ledger else head

    def _repr_html_(self) -> str:
        columns, rows = self._ledger_table()
        if self.classes:
            rows.append(["margin, at least", at_least(min(b.margin_lower_bound for b in self.classes), 6)])
        caption = f"{self.method}, p = {self.p}, {self.neurons} neurons: {self.verdict}"
        return html_table(caption, columns, rows)

    def _ledger_table(self) -> tuple[list[str], list[list[str]]]:
        return ["term", "value"], [[name, signed_at_least(x, 6)] for name, x in self.ledger]

    def _repr_latex_(self) -> str | None:
        if not self.classes:
            return None
        margin = at_least(min(bound.margin_lower_bound for bound in self.classes), 6).replace("−", "-")
        right = rf"{self.certified_inputs}\text{{ of }}{self.p**2}\text{{ inputs proved right}}"
        return rf"$\min_{{a, b}} \text{{margin}}(a, b) \ge {margin}, \qquad {right}$"

    def to_dataframe(self) -> Any:
        """Return a pandas data frame: a row for each class ``a − b``, or (``rectangle``) for each frequency."""
        if self.frequencies is not None:
            return data_frame((dict(record) for record in self.frequencies), index="frequency")
        rows = (
            {
                "difference": bound.difference,
                "margin_lower_bound": bound.margin_lower_bound,
                "certified": bound.certified,
                **dict(bound.ledger),
            }
            for bound in self.classes
        )
        return data_frame(rows, index="difference")

    @property
    def float32(self) -> str:
        """Whether every float32 evaluation order gives the same predictions, in one line."""
        return claims_in_words.float32(self)


def _integer(value: object, what: str, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise CertificateError(f"{what} must be an integer in {low}..{high}, got {value!r:.80}")


def _finite(value: object, what: str, least: float = -math.inf) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_finite(value) or value < least:
        at_least = "" if least == -math.inf else f" >= {least:g}"
        raise CertificateError(f"{what} must be a finite number{at_least}, got {value!r:.80}")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond float64
        return False


def _text(value: object, what: str) -> None:
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT or not value.isprintable():
        raise CertificateError(f"{what} must be 1..{MAX_TEXT} printable characters, got {value!r:.80}")


def _ledger(ledger: Ledger) -> Ledger:
    out = []
    for entry in ledger:
        if len(entry) != 2:
            raise CertificateError(f"a ledger entry is (term, value), got {entry!r:.80}")
        term, value = entry
        _text(term, "a ledger's term")
        _finite(value, f"the ledger's {term}")
        out.append((term, float(value)))
    return tuple(out)


def _is_plain(items: list[Any] | tuple[Any, ...]) -> bool:
    """Return whether these are all small integers, or all finite floats: the long lists of a prover's record."""
    kinds = set(map(type, items))
    if kinds == {int}:
        return bool(min(items) >= -(2**100) and max(items) <= 2**100)
    return kinds == {float} and all(map(math.isfinite, items))


def _frozen(value: Any, what: str) -> Any:
    """Return JSON data as read-only mappings and tuples; refuse what is no JSON, not finite, too deep or too much."""
    left = [MAX_NODES]

    def freeze(item: Any, depth: int) -> Any:
        left[0] -= 1
        if depth > MAX_DEPTH or left[0] < 0:
            raise CertificateError(f"{what} may nest {MAX_DEPTH} deep and hold {MAX_NODES} values at most")
        if item is None or isinstance(item, bool):
            return item
        if isinstance(item, str):
            if item:
                _text(item, f"a text in {what}")
            return item
        if isinstance(item, int):
            _integer(item, f"an integer in {what}", -(2**100), 2**100)
            return item
        if isinstance(item, float):
            _finite(item, f"a number in {what}")
            return float(item)
        if isinstance(item, Mapping):
            for key in item:
                _text(key, f"a key in {what}")
            return MappingProxyType({key: freeze(entry, depth + 1) for key, entry in item.items()})
        if isinstance(item, (list, tuple)):
            if _is_plain(item):
                left[0] -= len(item)
                return tuple(item)
            return tuple(freeze(entry, depth + 1) for entry in item)
        raise CertificateError(f"{what} may hold JSON values only, got {type(item).__name__}")

    return freeze(value, 0)
