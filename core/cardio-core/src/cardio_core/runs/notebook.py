"""Runs from Python: make one, open one, read its numbers, draw its curves.

Each function does what the command of the same name does, and returns values where the command
writes a page. They are reached as ``import cardio_core as cardio``: ``cardio.open("runs/first")``.
"""

from __future__ import annotations

import html
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cardio_core.evaluation.decision import Decision
from cardio_core.io.places import shown_path, stored_places
from cardio_core.io.run_artifact import (
    MetricRow,
    RunArtifact,
    RunManifest,
    TargetEntry,
    read_artifact,
)
from cardio_core.io.run_schema import COHORT, numbers_in
from cardio_core.io.store import load_table
from cardio_core.report.text.model_card import digest_of_final
from cardio_core.runner.fits import open_decisions, predictions_file
from cardio_core.runner.progress import in_a_notebook
from cardio_core.types.info import Target
from cardio_core.types.notes import Note
from cardio_core.types.targets import KEY_OF_UNIT
from cardio_stats.errors import ConfigError, DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cardio_stats.estimate import Estimate

COLUMNS = (
    "protocol", "target", "class_name", "model", "versus", "subgroup", "metric", "value", "low",
    "high", "level", "p_value", "n", "unit", "method", "note",
)  # fmt: skip
"""The columns of `Run.metrics`."""

THRESHOLDS = np.linspace(0.01, 0.99, 99)


class Run:
    """A finished run, or a folder that ``judge``, ``evaluate``, ``fuse`` or ``stability`` wrote.

    Parameters
    ----------
    folder : str or Path
        The run directory.

    Attributes
    ----------
    folder : Path
    artifact : RunArtifact
        Everything that was read of it, typed.

    Raises
    ------
    DataError
        In one line, if it is no run directory or a file of it is damaged.

    Examples
    --------
    >>> Run("no/such/run")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    cardio_stats.errors.DataError: run: no manifest.json, so this is no run directory; ...
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.artifact: RunArtifact = read_artifact(self.folder)

    @property
    def manifest(self) -> RunManifest:
        """What the run came of: plugin, task, data, device, versions, notes."""
        return self.artifact.manifest

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the run found out on its way; those of severity ``warning`` lead the page."""
        return self.manifest.notes

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """One row a pooled estimate.

        The columns are `COLUMNS`: `value` with its interval from `low` to `high` at `level`, NaN
        where there is none; `n` counts units of the kind `unit`.
        """
        rows = [
            {**{name: getattr(metric, name) for name in COLUMNS if name != "metric"},
             "metric": metric.name}
            for metric in self.artifact.metrics if metric.pooled and metric.repeat is None
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(COLUMNS))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The out-of-fold predictions as ``predictions.csv`` has them.

        For two classes there is one row a unit, model, repeat and protocol: `score` is the
        probability of the class that `event` names, `y_true` the observed class. With more classes
        there is a row a class; for numbers `event` is missing and `score` is the number.
        """
        return self.artifact.predictions

    def by_class(self) -> pd.DataFrame:
        """Return the predictions with one row a class, for targets of two classes as well."""
        pieces = []
        for target in self.manifest.targets:
            rows = self.predictions[self.predictions["target"] == target.name]
            pieces.append(rows)
            if target.kind == "binary":
                other, event = target.classes
                pieces[-1] = rows[rows["event"] == event]
                pieces.append(pieces[-1].assign(event=other, score=1 - pieces[-1]["score"]))
        return pd.concat(pieces).sort_index(kind="stable", ignore_index=True)

    @cached_property
    def splits(self) -> pd.DataFrame:
        """Who was trained on and who was tested: protocol, fold, part, patient_id."""
        rows = [
            (protocol, fold.name, part, patient)
            for protocol, split in self.artifact.splits.items()
            for fold in split.folds
            for part, patients in (("train", fold.train), ("test", fold.test))
            for patient in patients
        ]
        return pd.DataFrame(rows, columns=["protocol", "fold", "part", "patient_id"])

    @property
    def report(self) -> Path:
        """The page of the run, an HTML file that needs no network."""
        return self.folder / "report.html"

    def open_report(self) -> None:
        """Show the page in the browser."""
        import webbrowser

        webbrowser.open(self.report.resolve().as_uri())

    def scores(
        self, model: str | None = None, *, target: str | None = None, protocol: str | None = None
    ) -> pd.DataFrame:
        """Return what a model answered for each unit whose outcome is known.

        Parameters
        ----------
        model : str, optional
            The primary model without it.
        target : str, optional
            One with two classes; the first of them without it.
        protocol : str, optional
            ``honest`` or ``paper``; without it ``honest`` where it was run.

        Returns
        -------
        DataFrame
            Columns ``unit``, ``patient_id``, ``event`` (0 or 1) and ``score`` (0 to 1): the rows of
            which the page's AUC and curves are made. Scores of several repeats are averaged.

        Raises
        ------
        ConfigError
            A model, target or protocol that was not run.
        """
        about = self._target(target)
        ran = self._chosen("protocol", protocol, self.manifest.protocols, "honest")
        name = self._chosen("model", model, self.manifest.models, self.manifest.primary)
        rows = self.predictions
        rows = rows[(rows["target"] == about.name) & (rows["model"] == name)]
        if ran:
            rows = rows[rows["protocol"] == ran]
        rows = rows[(rows["event"] == about.classes[1]) & rows["score"].notna()]
        levels = set(rows["level"].dropna())
        unit = KEY_OF_UNIT[levels.pop()] if len(levels) == 1 else "sample_id"
        rows = rows[rows["y_true"].notna() & rows[unit].notna()]
        found = rows.groupby(unit, sort=False).agg(
            patient_id=("patient_id", "first"), y_true=("y_true", "first"), score=("score", "mean")
        )
        if found.empty:
            raise DataError(
                f"{self.folder.name}: no predictions of {name} for {about.name}; choose another"
            )
        found["event"] = (found.pop("y_true") == about.classes[1]).astype(int)
        return found.rename_axis("unit").reset_index()[["unit", "patient_id", "event", "score"]]

    def out_of_fold(self, target: Target) -> pd.DataFrame | None:
        """Return the honest protocol's predictions of a target as `Scored.frames` holds them.

        None of several classes, and where there are none.
        """
        if target.kind == "multiclass" or not (self.folder / "predictions.csv").is_file():
            return None
        rows = self.predictions
        rows = rows[(rows["protocol"] == "honest") & (rows["target"] == target.name)]
        if target.kind == "binary":
            rows = rows[rows["event"] == target.classes[1]]
        else:
            rows = rows.assign(y_true=numbers_in(rows, "y_true", self.folder / "predictions.csv"))
        rows = rows[rows["y_true"].notna() & rows["score"].notna()]
        if not len(rows):
            return None
        key = KEY_OF_UNIT.get(rows["level"].iloc[0], "sample_id")
        score = f"score:{target.classes[1]}" if target.kind == "binary" else "score"
        return rows.assign(
            unit_id=rows[key], subject_id=rows["patient_id"], **{score: rows["score"]}
        ).reset_index(drop=True)

    def decision(self, fold: str, model: str, target: Target) -> Decision | None:
        """Return what the honest protocol decides by in a fold; None where nothing was chosen."""
        folder = self._fit(fold, model)
        known = (folder / "chosen.json").is_file()
        return open_decisions(folder, (target,)).get(target.name) if known else None

    def subjects(self, model: str, target: Target) -> dict[str, str]:
        """Return the person behind each patient id, as far as the fits of a model tell it."""
        found: dict[str, str] = {}
        for fold in self.predictions["fold"].unique():
            path = self._fit(fold, model) / predictions_file(target)
            if path.is_file():
                rows = load_table(path)[["patient_id", "subject_id"]].astype(str)
                found |= dict(rows.itertuples(index=False, name=None))
        return found

    def _fit(self, fold: object, model: str) -> Path:
        return self.folder / "models" / f"honest-{fold}" / model

    @property
    def identity(self) -> dict[str, Any]:
        """The run as the manifest of a validation names it."""
        about, data = self.manifest, self.manifest.data
        return {
            "run": self.folder.resolve().name, "kind": about.kind,
            "final_models": digest_of_final(self.folder), "config": about.config_digest or None,
            "data": data.digest, "source": data.source or None, "n_patients": data.n_patients,
            "core_version": about.core_version or None,
        }  # fmt: skip

    def place_from(self, out: Path) -> tuple[str, str]:
        """Return where the run lies as seen from another folder, and what may be told of it."""
        place = os.path.relpath(self.folder.resolve(), out.resolve())
        return place, shown_path(place)

    @property
    def places(self) -> dict[str, Any]:
        """What is kept of places on this machine, for the owner alone."""
        return dict(stored_places(self.folder))

    @property
    def cohort(self) -> dict[str, Any]:
        """Who was trained on: lists of recordings, patients, subjects and digests of files."""
        return dict(COHORT.read_or(self.folder / "cohort.json", {}))

    def compare(
        self, a: str, b: str, *, target: str | None = None, protocol: str | None = None
    ) -> Estimate:
        """Return the difference of two models' AUC, a − b, on the units that both predicted.

        DeLong's paired test; where a patient has several units, its clustered form.
        """
        from cardio_stats import delong_paired

        first, other = (self.scores(name, target=target, protocol=protocol) for name in (a, b))
        both = first.merge(other[["unit", "score"]], on="unit", suffixes=("_a", "_b"))
        return delong_paired(
            both["event"], both["score_a"], both["score_b"], patient=_clusters(both)
        )

    def plot_roc(
        self,
        models: str | Sequence[str] | None = None,
        *,
        target: str | None = None,
        protocol: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw ROC curves, with the page's AUC in the key; return the axes.

        `models` is the primary model without it.
        """
        from cardio_stats import roc_curve

        def curve(rows: pd.DataFrame) -> tuple[Any, Any]:
            found = roc_curve(rows["event"], rows["score"])
            return found.fpr, found.tpr

        axes = self._curves(models, target, protocol, ax, curve, "auc")
        axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
        axes.set(xlabel="1 − specificity", ylabel="sensitivity", aspect="equal")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), frameon=False)
        return axes

    def plot_calibration(
        self,
        models: str | Sequence[str] | None = None,
        *,
        target: str | None = None,
        protocol: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw smooth calibration curves (LOESS); return the axes."""
        from cardio_stats import calibration_curve

        def curve(rows: pd.DataFrame) -> tuple[Any, Any]:
            found = calibration_curve(rows["event"], rows["score"], patient=_clusters(rows))
            return found.predicted, found.observed

        axes = self._curves(models, target, protocol, ax, curve, "calibration_slope")
        axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
        axes.set(xlabel="predicted probability", ylabel="observed share", aspect="equal")
        axes.legend(loc="upper left", frameon=False)
        return axes

    def plot_decision(
        self,
        models: str | Sequence[str] | None = None,
        *,
        target: str | None = None,
        protocol: str | None = None,
        thresholds: Sequence[float] | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw net benefit over the threshold probability; return the axes."""
        from cardio_stats import decision_curve

        at = THRESHOLDS if thresholds is None else np.asarray(thresholds, dtype=float)
        everybody = []

        def curve(rows: pd.DataFrame) -> tuple[Any, Any]:
            found = decision_curve(rows["event"], rows["score"], thresholds=list(at))
            everybody.append(found["treat_all"])
            return found["threshold"], found["net_benefit"]

        axes = self._curves(models, target, protocol, ax, curve, None)
        axes.plot(at, everybody[0], color="0.6", linewidth=1, label="act on everybody")
        axes.axhline(0, color="0.6", linestyle="--", linewidth=1, label="act on nobody")
        top = max(float(np.max(line.get_ydata())) for line in axes.lines)
        axes.set(xlabel="threshold probability", ylabel="net benefit", ylim=(-0.05, top + 0.05))
        axes.legend(frameon=False)
        return axes

    def predict(self, files: str | Path | Sequence[str | Path], **options: Any) -> dict[str, Any]:
        """Predict new recordings with the final models.

        Parameters
        ----------
        files : path or sequence of paths
            Files, folders or cohort tables, as ``cardio predict`` takes them.
        **options
            `device`, `explain_in`, `mapping`, `keep_features`, `accept_synthetic` of that command.

        Returns
        -------
        dict
            What ``cardio predict --json`` prints.
        """
        from cardio_core.runner.predict import predict_new

        paths = [files] if isinstance(files, str | Path) else files
        return predict_new(self.folder, tuple(Path(path) for path in paths), **options)

    def __repr__(self) -> str:
        """Return the folder, what was predicted, and its state."""
        about = self.manifest
        return f"<Run {self.folder}: {about.plugin or about.kind}, {about.title}, {about.status}>"

    def _repr_html_(self) -> str:
        """Return the answer with its warnings, and the forest plot, for notebooks."""
        from cardio_core.report.run_figures import overview_pictures
        from cardio_core.report.text.answer import answer

        found = answer(self.artifact)
        lines = [f"<p>{html.escape(text)}</p>" for text in (found.question, *found.found)]
        warned = "".join(f"<li>{html.escape(text)}</li>" for text in found.warnings)
        drawn = [str(picture.svg) for picture in overview_pictures(self.artifact)[:1]]
        title = html.escape(self.manifest.title)
        return "".join([f"<h4>{title}</h4>", *lines, f"<ul>{warned}</ul>", *drawn])

    def _curves(
        self,
        models: str | Sequence[str] | None,
        target: str | None,
        protocol: str | None,
        ax: Axes | None,
        curve: Callable[[pd.DataFrame], tuple[Any, Any]],
        metric: str | None,
    ) -> Axes:
        names = [models] if isinstance(models, str) else models or [self.manifest.primary]
        if ax is None:
            about: dict[str, Any] = {"figsize": (4.5, 4.5), "layout": "constrained"}
            # The kernel shows pyplot's figures below the cell, and closes them.
            figure = pyplot.figure(**about) if (pyplot := _of_kernel()) else Figure(**about)
            ax = figure.add_subplot()
        for name in names:
            x, y = curve(self.scores(name, target=target, protocol=protocol))
            ax.plot(x, y, label=self._label(name, target, protocol, metric))
        return ax

    def _label(
        self, model: str, target: str | None, protocol: str | None, metric: str | None
    ) -> str:
        title = self.manifest.model_titles.get(model, model)
        ran = self._chosen("protocol", protocol, self.manifest.protocols, "honest")
        found = self._metric(metric, model, self._target(target).name, ran) if metric else None
        if found is None:
            return title
        word = "AUC" if metric == "auc" else "slope"
        limits = "" if found.low is None else f" ({found.low:.2f} to {found.high:.2f})"
        return f"{title}: {word} {found.value:.2f}{limits}"

    def _metric(self, name: str, model: str, target: str, protocol: str) -> MetricRow | None:
        return next(
            (
                metric for metric in self.artifact.metrics
                if metric.name == name and metric.model == model and metric.target == target
                and metric.protocol == protocol and metric.pooled and metric.repeat is None
                and not (metric.versus or metric.subgroup or metric.class_name)
            ),
            None,
        )  # fmt: skip

    def _target(self, name: str | None) -> TargetEntry:
        known = {target.name: target for target in self.manifest.targets if target.kind == "binary"}
        if not known:
            raise ConfigError(f"{self.folder.name}: no target of two classes; see .predictions")
        return known[self._chosen("target", name, tuple(known), "")]

    def _chosen(self, what: str, name: str | None, known: Sequence[str], first: str) -> str:
        """Return the asked name, the preferred one, or else the first."""
        if name is None:
            return first if first in known else known[0] if known else ""
        if name not in known:
            raise ConfigError(f"{what}: expected one of {', '.join(known)}, found {name!r}")
        return name


def _of_kernel() -> Any:
    """Return pyplot inside the kernel of a notebook, None elsewhere."""
    return import_module("matplotlib.pyplot") if in_a_notebook() else None


def _clusters(rows: pd.DataFrame) -> pd.Series[str] | None:
    patients = rows["patient_id"]
    return patients if patients.duplicated().any() else None


def open_run(folder: str | Path) -> Run:
    """Open a run directory; ``cardio.open`` from Python."""
    return Run(folder)


def make_run(plugin: str, *, echo: Callable[[str], None] | None = print, **options: Any) -> Run:
    """Take recordings to an evaluation, as ``cardio run`` does, and open the run.

    Parameters
    ----------
    plugin : str
        Name of an installed plugin.
    echo : callable, optional
        Takes each line of progress; None for silence.
    **options
        The options of ``cardio run`` with underscores: ``data="cohort.csv"``,
        ``outcome="responder"``, ``config="smoke"``, ``out="runs/first"``, ``seed=1``. A list gives
        an option several times, True sets a flag.

    Returns
    -------
    Run

    Raises
    ------
    CardioError
        In one sentence, what the command would print.
    """
    from cardio_core.cli.run import request_of
    from cardio_core.registry import require_installed
    from cardio_core.runner.run import run

    require_installed(plugin)
    request = request_of(["--plugin", plugin, *_words(options)])
    return Run(run(request, echo or (lambda line: None)))


def measure(
    plugin: str,
    files: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    sheets: bool = True,
    echo: Callable[[str], None] | None = print,
) -> pd.DataFrame:
    """Measure recordings, as ``cardio measure`` does.

    Returns
    -------
    DataFrame
        ``measurements.csv``: one row a recording. Its folder is ``.attrs["folder"]``.
    """
    from cardio_core.runner.measure import MeasureRequest
    from cardio_core.runner.measure import measure as do
    from cardio_core.runner.measure_tables import TABLE

    paths = [files] if isinstance(files, str | Path) else files
    request = MeasureRequest(
        plugin, tuple(Path(path) for path in paths), sheets=sheets,
        out=None if out is None else Path(out),
    )  # fmt: skip
    done = do(request, echo or (lambda line: None), None)
    table = pd.read_csv(done.out / TABLE)
    table.attrs["folder"] = str(done.out)
    return table


def judge(
    predictions: pd.DataFrame | str | Path, *, out: str | Path | None = None, **options: Any
) -> Run:
    """Write the page for predictions of any tool, as ``cardio judge`` does, and open its folder.

    Parameters
    ----------
    predictions : DataFrame or path
        One row a patient, or several with `patient`.
    out : path, optional
        Folder to write; a temporary one without it.
    **options
        The options of ``cardio judge`` with underscores: ``outcome="died"``,
        ``score=["risk", "age"]``.

    Raises
    ------
    ConfigError
        If cardio-studies is not installed, or an option is wrong.
    DataError
        If the table cannot be judged.
    """
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(predictions, pd.DataFrame):
            path = Path(folder) / "predictions.csv"
            predictions.to_csv(path, index=False)
        else:
            path = Path(predictions)
        return _commanded("judge", [path], out, options)


def compare(*runs: Run | str | Path, out: str | Path | None = None, **options: Any) -> Run:
    """Compare runs and tables on the patients they share, as ``cardio compare`` does.

    Parameters
    ----------
    *runs : Run or path
        Two or more.
    out : path, optional
        Folder to write; a temporary one without it.
    **options
        The options of ``cardio compare`` with underscores.

    Raises
    ------
    CardioError
        In one sentence, what the command would print.
    """
    places = [run.folder if isinstance(run, Run) else run for run in runs]
    return _commanded("compare", places, out, options)


def _commanded(
    command: str, inputs: Sequence[str | Path], out: str | Path | None, options: Mapping[str, Any]
) -> Run:
    """Do what a registered command does, and open the folder that it writes."""
    import click

    from cardio_core.cli.main import cardio

    place = Path(out or tempfile.mkdtemp(prefix=f"cardio-{command}-"))
    words = [command, *map(str, inputs), *_words({**options, "out": place})]
    try:
        cardio.main(words, "cardio", standalone_mode=False, obj={"words": words})
    except click.ClickException as error:
        text = error.format_message().rstrip(".")
        raise ConfigError(f"{text}; cardio {command} --help lists the options") from error
    return Run(place)


def plugins() -> pd.DataFrame:
    """Return the installed plugins, a row each; ``broken`` says why one cannot be used."""
    from cardio_core.registry import list_plugins

    names = ["name", "version", "distribution", "title", "tasks", "broken"]
    rows = pd.DataFrame([item.to_dict() for item in list_plugins()], columns=names)
    return rows.fillna({"title": "", "broken": ""})


def _words(options: Mapping[str, Any]) -> list[str]:
    """Return keyword arguments as the words of a command line."""
    words: list[str] = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        for item in value if isinstance(value, list | tuple) else [value]:
            if item is True:
                words.append(option)
            elif item is not None and item is not False:
                words += [option, str(item)]
    return words
