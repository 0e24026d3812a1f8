"""`cardio data convert-weights`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cardio_core.errors import ConfigError, DataError


@click.command("convert-weights")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--trust", is_flag=True, help="You know where FILE comes from. Without this nothing is read."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Safetensors file to write.  [default: beside FILE]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def convert_weights(file: Path, trust: bool, out: Path | None, as_json: bool) -> None:
    """Make a safetensors file of the .pt or .pth weights in FILE.

    Such files are pickles, which could run code. Only tensors are taken out of them; FILE stays as
    it is. Networks of this project read the new file only.
    """
    if not trust:
        raise ConfigError(
            f"{file.name}: such a file could run code when it is read; say --trust if you know "
            "where it comes from"
        )
    target = file.with_suffix(".safetensors") if out is None else out
    if file.suffix.lower() not in (".pt", ".pth"):
        raise ConfigError(
            f"{file.name}: expected a .pt or .pth file, found {file.suffix or 'none'}"
        )
    if target.exists():
        raise DataError(f"{target}: is there already; remove it or name another with --out")
    from cardio_core.training.foreign.conversion import convert_weights as convert

    n_tensors = convert(file, target)
    if as_json:
        click.echo(json.dumps({"file": file.name, "out": str(target), "n_tensors": n_tensors}))
        return
    click.echo(f"{target}: {n_tensors} tensors of {file.name}.")
