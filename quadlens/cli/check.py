"""``quadlens check``: accept or refuse a certificate file, by a route that shares no code with the prover."""

import click

from quadlens.cli.model_argument import LoadedModel, model_options
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import explain, json_option, next_step, print_json, say


@click.command(epilog="Example: quadlens check certificate.json model.pt")
@click.argument("certificate", type=click.Path())
@model_options
@json_option
def command(loaded: LoadedModel, certificate: str, as_json: bool) -> int:
    """Check CERTIFICATE, a file that quadlens certify -o wrote, against MODEL.

    Everything claimed is computed again from MODEL, densely and in ball arithmetic; what a file holds besides is
    listed as not checked.
    Exit status 0: accepted; 1: refused, with the reason; 2: not a certificate at all.
    """
    from quadlens.certificates.check import check
    from quadlens.certificates.record.file import read_certificate
    from quadlens.certificates.record.words import checked
    from quadlens.errors import ContradictionError

    try:
        record = read_certificate(certificate)
    except ContradictionError as error:
        # such a file was changed: there is no need to compute anything to refuse it
        if as_json:
            print_json(loaded.to_dict() | {"accepted": False, "reasons": [str(error)], "checked": [], "unchecked": []})
        else:
            say(loaded.summary)
            explain(f"refused: {error}")
        return 1
    with progress_bar("checking") as report:
        result = check(record, loaded.circuit, progress=report)
    if as_json:
        print_json(
            loaded.to_dict()
            | {"accepted": result.accepted, "reasons": list(result.reasons), "verdict": record.verdict}
            | {"method": record.method, "seconds": result.seconds}
            | {"checked": list(result.checked), "unchecked": list(result.unchecked)}
        )
    else:
        say(loaded.summary)
        explain(checked(record, result))
        if result.accepted:
            explain(f"checked: {', '.join(result.checked)}")
            explain(f"not checked, descriptions: {', '.join(result.unchecked)}")
        if result.accepted:
            next_step(loaded.command("report"), "see what the network does")
        else:
            next_step(loaded.command("certify"), "see what can be proved of this model")
    return 0 if result.accepted else 1
