"""`nrx devices`."""

import click


@click.command("devices")
@click.option("--json", "as_json", is_flag=True, help="Print one device a line as JSON.")
def command(*, as_json: bool) -> None:
    """List what nrx can compute on: the processor, and graphics cards where PyTorch finds some."""
    import json
    from dataclasses import asdict

    from bridge.install.devices import find_devices

    for device in find_devices():
        if as_json:
            click.echo(json.dumps(asdict(device)))
        else:
            click.echo(
                f"{device.id:<8} {device.name}, {device.memory_gb:.1f} GB{', default' if device.default else ''}"
            )
            if device.note:
                click.echo(f"         {device.note}")
