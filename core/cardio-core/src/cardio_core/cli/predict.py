"""`cardio predict`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from cardio_core.cli import options
from cardio_stats.errors import ConfigError, DataError


@click.command(cls=options.WithPluginOptions)
@options.RUN
@click.argument("inputs", nargs=-1, required=True, type=options.PATH)
@options.DEVICE
@options.EXECUTOR
@options.path("--out", "Write the JSON here, and a CSV of all files.")
@options.JSON
@click.option("--all-models", is_flag=True, help="Say what the other models answer, too.")
@options.MAPPING
@options.path(
    "--facts", "CSV of what files do not say, as cardio measure --mapping-template writes it."
)
@click.option(
    "--explain", "explain_in", type=options.PATH,
    help="Explain the predictions, with pictures, in this folder.",
)  # fmt: skip
@click.option(
    "--keep-features", is_flag=True,
    help="Keep what was measured, in RUN/predicted, for the next time; else nothing is kept.",
)  # fmt: skip
@options.allowing(synthetic="decisions on real recordings by models of synthetic ones alone")
@options.group_readable
def predict(
    run: Path,
    inputs: tuple[Path, ...],
    out: Path | None,
    as_json: bool,
    all_models: bool,
    mapping: Path | None,
    facts: Path | None,
    keep_features: bool,
    allowed: tuple[str, ...],
    **about: Any,
) -> None:
    """Predict new recordings with the final models of RUN.

    INPUT is a file, a folder (searched recursively) or a cohort table; an echo export is taken as
    it comes, one answer a study. Prints what the primary model answers: the probability, the
    threshold and where it came from, what remains possible where RUN calibrated that, or why there
    is no verdict; whether each patient is like those of training (applicability), and if not, why;
    flags; what could not be read and why; and how well the model did when RUN was evaluated.
    --json has everything, of all models. Models trained on synthetic recordings alone give a
    probability, but no decision on real recordings, unless --allow synthetic is given.
    Exits with 3 if nothing could be predicted.

    The plugin of RUN may take more: how to read the recording at hand (--voxel-mm), or a file that
    belongs to it (--septum FILE); cardio predict RUN --help lists them.

    Of what cardio fuse wrote, INPUT is NAME=INPUT for each run that is fused.
    """
    from cardio_core.runner.manifest import Manifest
    from cardio_core.runner.request import NOTHING_GIVEN

    made = Manifest.open(run).content
    about["accept_synthetic"] = "synthetic" in allowed
    fused = made.get("kind") == "fused"
    if fused:
        _only_for_a_run(mapping, keep_features)
    own = NOTHING_GIVEN if fused else options.given(made["plugin"], made["task"])
    if facts is not None:
        from cardio_core.runner.facts import read_facts

        own = replace(own, facts=read_facts(facts))
    from cardio_core.runner.predict_text import prediction_lines
    from cardio_core.runner.prepare import write_cells
    from cardio_stats.files import write_text

    if fused:
        answer = _predictor_of("fused")(
            run, [str(path) for path in inputs], echo=options.say, **about
        )
        inputs = tuple(Path(str(path).partition("=")[2]) for path in inputs)
    else:
        from cardio_core.runner.predict import predict_new

        answer = predict_new(
            run, inputs, options=own, mapping=mapping, keep_features=keep_features,
            echo=options.say, **about,
        )  # fmt: skip
    text = json.dumps(answer, indent=2, allow_nan=False)
    if out is not None:
        write_text(out, text + "\n")
        if answer["files"]:
            write_cells(out.with_suffix(".files.csv"), answer["files"])
    if as_json:
        click.echo(text)
    else:
        click.echo("\n".join(prediction_lines(answer, inputs, all_models=all_models)))
        if about["explain_in"] is not None and answer["explanations"]:
            click.echo(f"Explained in {about['explain_in']}.")
    if not answer["predictions"]:
        rows = answer["quarantined"]
        first = f"; the first: {rows[0]['reason']}" if rows else "; the notes say why"
        raise DataError(f"no recording could be predicted{first}")


def _predictor_of(kind: str) -> Callable[..., dict[str, Any]]:
    """Return what predicts by a run directory of another kind, whose distribution brings it."""
    for point in metadata.entry_points(group="cardio.predictors", name=kind):
        predictor: Callable[..., dict[str, Any]] = point.load()
        return predictor
    raise ConfigError(
        "a fusion of runs is predicted by cardio-studies, which is not installed; "
        "pip install ./core/cardio-studies in the cardio checkout, or its wheel"
    )


def _only_for_a_run(mapping: Path | None, keep_features: bool) -> None:
    """Refuse what only a run of one modality can do.

    Raises
    ------
    ConfigError
    """
    typed = click.get_current_context().obj
    option = next((f"--{name}" for name in typed), None)
    option = option or ("--mapping" if mapping else "--keep-features" if keep_features else None)
    if option:
        raise ConfigError(f"{option}: a fusion does not take it; predict with its runs one by one")
