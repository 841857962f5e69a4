"""``quadlens check``: accept or refuse a certificate file, by a route that shares no code with the prover."""

import click

from quadlens.cli.model_argument import LoadedModel, model_options
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import print_json


@click.command(epilog="Example: quadlens check certificate.json model.pt")
@click.argument("certificate", type=click.Path())
@model_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(loaded: LoadedModel, certificate: str, as_json: bool) -> int:
    """Check CERTIFICATE, a file that quadlens certify -o wrote, against MODEL.

    Everything claimed is computed again from MODEL, densely and in ball arithmetic.
    Exit status 0: accepted; 1: refused, with the reason.
    """
    from quadlens.certificates.certificate_file import read_certificate
    from quadlens.certificates.check import check

    record = read_certificate(certificate)
    with progress_bar("checking") as report:
        result = check(record, loaded.circuit, progress=report)
    if as_json:
        print_json(
            loaded.to_dict()
            | {"accepted": result.accepted, "reasons": list(result.reasons), "verdict": record.verdict}
            | {"method": record.method, "seconds": result.seconds}
        )
    else:
        click.echo(loaded.summary)
        click.echo(record.verdict)
        click.echo("accepted" if result.accepted else f"refused: {result.reasons[0]}")
    return 0 if result.accepted else 1
