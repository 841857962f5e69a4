"""``quadlens models``: what is bundled."""

from dataclasses import asdict

import click

from quadlens.cli.show import print_json, print_table


@click.command(epilog="Example: quadlens fit p59-seed1")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every network's full provenance.")
def command(as_json: bool) -> None:
    """List the networks that come with quadlens."""
    from quadlens.circuits.bundled import bundled_networks

    networks = bundled_networks()
    if as_json:
        print_json([asdict(network) for network in networks])
        return
    print_table(
        "Bundled networks (the first is the default)",
        ["name", "p", "neurons", "activation", "accuracy", "sha256 of the file"],
        (
            [n.name, str(n.p), str(n.neurons), n.activation, n.provenance["accuracy"], n.sha256[:16]]
            for n in networks
        ),
    )
    click.echo("Made with:")
    for network in networks:
        click.echo(f"  {network.provenance['command']}")
    click.echo("Next: quadlens report NAME")
