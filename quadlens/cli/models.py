"""``quadlens models``: what is bundled."""

import click

from quadlens.cli.show import print_json, print_table

FIELDS = ("name", "p", "neurons", "activation", "accuracy", "command", "sha256")


@click.command(epilog="Example: quadlens fit p59-seed1")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every network's full provenance.")
def command(as_json: bool) -> None:
    """List the networks that come with quadlens."""
    from quadlens.circuits.bundled import bundled_networks

    networks = bundled_networks()
    if as_json:
        print_json(
            [
                {name: getattr(network, name) for name in FIELDS} | {"provenance": dict(network.provenance)}
                for network in networks
            ]
        )
        return
    print_table(
        "Bundled networks (the first is the default)",
        ["name", "p", "neurons", "activation", "accuracy", "sha256"],
        ([n.name, str(n.p), str(n.neurons), n.activation, f"{n.accuracy:.4%}", n.sha256[:16]] for n in networks),
    )
    click.echo("Made with:")
    for network in networks:
        click.echo(f"  {network.command}")
    click.echo("Next: quadlens report NAME")
