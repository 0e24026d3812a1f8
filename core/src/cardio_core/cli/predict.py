"""`cardio predict`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cardio_core.errors import DataError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the JSON here.")
def predict(run: Path, inputs: tuple[Path, ...], device: str, out: Path | None) -> None:
    """Predict new recordings with the final models of RUN.

    Prints one JSON object: predictions, each with its prediction set or interval where RUN
    calibrated one, or the reason why no verdict is given; what was measured, with units; flags,
    and what was quarantined and why. Exits with 3 if nothing could be predicted.
    """
    from cardio_core.io.atomic import write_text
    from cardio_core.runner.predicting import predict_new

    answer = predict_new(run, inputs, device=device, echo=lambda line: click.echo(line, err=True))
    text = json.dumps(answer, indent=2, allow_nan=False)
    if out is None:
        click.echo(text)
    else:
        write_text(out, text + "\n")
    if not answer["predictions"]:
        rows = answer["quarantined"]
        first = f"; the first: {rows[0]['reason']}" if rows else ""
        raise DataError(f"none of the {len(inputs)} input(s) could be predicted{first}")
