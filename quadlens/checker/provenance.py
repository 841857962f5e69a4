"""What a certificate says of where its circuit came from, against what the model that was loaded says.

Compared: the task, the outputs left out, whether it was changed in memory, and what was frozen, because a claim means
another thing where these differ. Descriptions only, and not compared: family, file, what was said and what was assumed;
the network's digest and its activation are compared elsewhere.
"""

from quadlens.certificates.record.certificate import Certificate
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.provenance import Freezing, LeftOut, Provenance

MEASURED = 1e-6
"""Relative distance within which a logit's move, measured on two machines, is the same. No verdict rests on it."""


def provenance_reasons(certificate: Certificate, circuit: Circuit) -> list[str]:
    """Return a sentence for each difference that changes what the certificate means."""
    claimed, found = certificate.provenance or Provenance(), circuit.provenance
    reasons = []
    if claimed.task != found.task:
        reasons.append(f"its task is {claimed.task}, the model's {found.task}")
    if claimed.changed != found.changed:
        said, is_so = ("; ".join(record.changed) or "as it was read" for record in (claimed, found))
        reasons.append(f"of changes in memory it says: {said}; of the model: {is_so}")
    reasons += _left_out(claimed.left_out, found.left_out)
    reasons += _frozen(claimed.frozen, found.frozen)
    return [f"the certificate is about another network: {reason}" for reason in reasons]


def _left_out(claimed: LeftOut | None, found: LeftOut | None) -> list[str]:
    if claimed == found:
        return []
    names = [", ".join(record.names) if record is not None else "no output" for record in (claimed, found)]
    if names[0] != names[1] or claimed is None or found is None:
        return [f"it says that {names[0]} is left out, of the model {names[1]} is left out"]
    said, measured = claimed.largest_on, found.largest_on
    return [f"it says that an output left out is largest on {said} inputs, measured on {measured}"]


def _frozen(claimed: Freezing | None, found: Freezing | None) -> list[str]:
    if claimed is None or found is None:
        if claimed is found:
            return []
        if claimed is None:
            return ["it does not say that attention was frozen, and the model's was"]
        return ["it says that attention was frozen, and the model's was not"]
    reasons = []
    for name in Freezing.__dataclass_fields__:
        said, measured = getattr(claimed, name), getattr(found, name)
        if said is None or measured is None:
            same = said is measured
        else:
            same = abs(said - measured) <= MEASURED * measured if name.endswith("change") else said == measured
        if not same:
            reasons.append(f"{name} of the frozen attention is {said!r}, measured {measured!r}")
    return reasons
