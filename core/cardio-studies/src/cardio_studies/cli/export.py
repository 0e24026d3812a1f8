"""`cardio export`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from cardio_core.cli import options


@click.command()
@options.RUN
@click.option("--out", required=True, type=options.PATH, help="Folder to make, new or empty.")
@click.option(
    "--model", "models", multiple=True, metavar="NAME",
    help="Only this final model (the first named is the primary); all without.",
)  # fmt: skip
@click.option("--onnx", is_flag=True, help="Networks as ONNX, too, checked against torch.")
@click.option(
    "--example", "examples", multiple=True, type=options.PATH,
    help="Recordings for that check; without, a few synthetic ones are made.",
)  # fmt: skip
@options.JSON
def export(run: Path, out: Path, as_json: bool, **choices: Any) -> None:
    """Export the final models of RUN for others, without any patient.

    The folder holds the models, their thresholds and conformal rules, the settings they need, and
    a model card (model_card.md, .json). `cardio predict FOLDER INPUT...` answers as with RUN. No
    patient's id, row or file leaves RUN: every file is searched for them before it is kept.
    """
    from cardio_stats.errors import ConfigError

    if choices["examples"] and not choices["onnx"]:
        raise ConfigError("--example: is for the check of --onnx; say --onnx, too, or leave it out")
    from cardio_studies.model_export import export_run

    made = export_run(run, out, echo=options.say, **choices)
    if as_json:
        click.echo(json.dumps(made, indent=2))
        return
    click.echo(f"Exported {', '.join(made['models'])} to {out}; read model_card.md there.")
    for name, about in made.get("onnx", {}).items():
        apart = about["largest_difference"]
        click.echo(f"ONNX: {name}, {about['network']}, within {apart:.1e} of torch.")
