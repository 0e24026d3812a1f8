"""`cardio export`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder to make, new or empty."
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="Only this final model (the first named is the primary); all without.",
)
@click.option(
    "--with-patient-rows",
    is_flag=True,
    help="Let models leave that are made of patients' rows (support vectors, neighbours).",
)
@click.option("--onnx", is_flag=True, help="Networks as ONNX, too, checked against torch.")
@click.option(
    "--example",
    "examples",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Recordings for that check; without, a few synthetic ones are made.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest, for programs.")
def export(
    run: Path,
    out: Path,
    models: tuple[str, ...],
    with_patient_rows: bool,
    onnx: bool,
    examples: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Export the final models of RUN for others, without any patient.

    The folder holds the models, their thresholds and conformal rules, the settings they need, and
    a model card (model_card.md, .json). `cardio predict FOLDER INPUT...` answers as with RUN. No
    patient's id, row or file leaves RUN: every file is searched for them before it is kept.
    """
    from cardio_stats.errors import ConfigError

    if examples and not onnx:
        raise ConfigError("--example: is for the check of --onnx; say --onnx, too, or leave it out")
    from cardio_studies.model_export import export_run

    made = export_run(
        run,
        out,
        models=models,
        with_patient_rows=with_patient_rows,
        onnx=onnx,
        examples=examples,
        echo=lambda line: click.echo(line, err=True),
    )
    if as_json:
        click.echo(json.dumps(made, indent=2))
        return
    click.echo(f"Exported {', '.join(made['models'])} to {out}; read model_card.md there.")
    for name, about in made.get("onnx", {}).items():
        apart = about["largest_difference"]
        click.echo(f"ONNX: {name}, {about['network']}, within {apart:.1e} of torch.")
