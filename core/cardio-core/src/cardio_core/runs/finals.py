"""The final models of a run directory: their files, rules and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pandas as pd

from cardio_core.compute.resource_errors import resource_error
from cardio_core.config import RunConfig, named_configs
from cardio_core.evaluation.conformal import CONFORMAL, Conformal
from cardio_core.evaluation.decision import Decision
from cardio_core.evaluation.fusion import FUSION, FusionRule
from cardio_core.evaluation.likeness import NAMES as TITLES
from cardio_core.io.run_schema import COHORT, SEEN, plain, read_predictions
from cardio_core.report.text.model_card import digest_of_final
from cardio_core.runner.answers import Opened, answer, open_finished, settled
from cardio_core.runner.embeddings import APPLICABILITY, read_applicability
from cardio_core.runner.evaluate import open_rule, rule_path
from cardio_core.runner.fits import CHOSEN, open_decisions, write_chosen
from cardio_core.runner.fused_models import fusion_file, open_fusion
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.needs import needed_folder, open_needed
from cardio_core.runner.predict import rows_of, worth_of
from cardio_core.runner.progress import Echo
from cardio_core.runner.setup import CohortRequest, writer_of
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.features import FeatureSet
from cardio_core.types.info import Target, Task
from cardio_core.types.limits import require_fitting
from cardio_core.types.notes import Note
from cardio_stats.errors import CardioError, DataError
from cardio_stats.files import write_json

T = TypeVar("T")


@dataclass(frozen=True)
class FinalModels:
    """The models of a run directory that answer for new patients.

    Attributes
    ----------
    run : Path
    """

    run: Path

    def folder(self, model: str) -> Path:
        """Return where a model lies."""
        return self.run / "models" / "final" / model

    def artifact(self, model: str) -> ModelArtifact:
        """Return what was fitted; its `path` need not exist."""
        return ModelArtifact(self.folder(model) / "artifact")

    def decision(self, model: str, target: Target) -> Decision | None:
        """Return the threshold or rule that decides; None where none was chosen."""
        if not (self.folder(model) / "chosen.json").is_file():
            return None
        return open_decisions(self.folder(model), (target,)).get(target.name)

    def fusion(self, model: str, target: Target) -> FusionRule | None:
        """Return the weights of a fused model; None where it is not there."""
        there = self.folder(model).is_dir()
        return open_fusion(self.folder(model), target) if there else None

    def rows(self, model: str, frame: pd.DataFrame, target: Target) -> list[dict[str, Any]]:
        """Return the entries of an answer for a prediction frame."""
        return rows_of(self.run, frame, target, model, self.decision(model, target))

    def worth(self, models: Sequence[str]) -> list[dict[str, Any]]:
        """Return what the evaluation of the run found for each model, JSON-ready."""
        return worth_of(self.run, models)

    def n_seen(self, artifact: Path) -> int | None:
        """Return how many people a model or an earlier task's artifact was fitted on."""
        path = artifact / "seen.json"
        return len(SEEN.read(path)["subjects"]) if path.is_file() else None

    @property
    def digest(self) -> str | None:
        """The SHA-256 of all files of the final models; None where there are none."""
        return digest_of_final(self.run)

    @property
    def needed(self) -> dict[str, dict[str, Path]]:
        """The artifacts of earlier tasks that new patients are put through, by task and model."""
        return open_needed(self.run)

    @property
    def ranges(self) -> Mapping[str, Any]:
        """The summaries by which patients are like those of training."""
        return dict(plain(read_applicability(self.run)))

    @property
    def names(self) -> dict[str, list[str]]:
        """The hospitals, scanners and the like that were trained on, by what they are."""
        names = self.ranges["names"]
        return {TITLES.get(item, item): list(map(str, own)) for item, own in names.items() if own}

    def write(
        self,
        model: str,
        decisions: Sequence[Decision],
        notes: Sequence[Note],
        *,
        fusion: FusionRule | None = None,
        target: Target | None = None,
        seen: Iterable[str] = (),
    ) -> None:
        """Write what was chosen for a model and, of a fused one, its weights and whom they saw."""
        if fusion is not None and target is not None:
            artifact = self.artifact(model)
            artifact.path.mkdir(parents=True)
            FUSION.write(artifact.path / fusion_file(target), fusion)
            artifact.write_json("seen.json", {"subjects": sorted(seen)})
        write_chosen(
            self.folder(model), candidate={}, epochs=None, decisions=list(decisions), notes=notes
        )

    def write_rules(self, rules: Mapping[tuple[str, str], Conformal]) -> None:
        """Write conformal rules, by model and target."""
        for (model, target), rule in rules.items():
            CONFORMAL.write(rule_path(self.run, model, target), rule)

    def copy_chosen(self, to: FinalModels, model: str, targets: Sequence[Target], few: int) -> None:
        """Copy what was chosen for a model, without notes; counts of patients stay above `few`.

        Of a conformal rule, classes of fewer than `few` patients say one less than that.
        """
        stored = CHOSEN.read(self.folder(model) / "chosen.json")
        CHOSEN.write(to.folder(model) / "chosen.json", replace(stored, notes=()))
        for target in targets:
            if rule := open_rule(self.run, model, target.name):
                counts = (few - 1 if 0 < n < few else n for n in rule.class_patients)
                exported = replace(rule, class_patients=tuple(counts))
                CONFORMAL.write(rule_path(to.run, model, target.name), exported)

    def write_needed(self, task: str, rows: Sequence[str]) -> Path:
        """List the artifacts of an earlier task; return the folder that they lie in."""
        place = needed_folder(self.run) / task
        write_json(place / "rows.json", list(rows))
        return place

    def write_ranges(self, ranges: Mapping[str, Any]) -> None:
        """Write the summaries of `ranges`."""
        write_json(self.run / APPLICABILITY, ranges)

    def settings(self, manifest: Mapping[str, Any]) -> tuple[Task, RunConfig, list[str]]:
        """Return the task and the settings of the run, and texts that name no patient.

        The texts are those that anybody who installs the plugin has.
        """
        plugin, task, config = settled(self.run, manifest)
        named = named_configs(plugin.info.configs).values()
        return task, config, [repr(plugin.info), repr(task), *named]

    def names_written(self) -> set[str]:
        """Return every name that the run wrote down of patients, recordings and files.

        The runs that it made first are included.
        """
        run = self.run
        found: set[str] = set()
        for path in (run / "cohort.json", *run.glob("needs/**/cohort.json")):
            if path.is_file():
                stored = COHORT.read(path)
                for key in ("recordings", "patients", "subjects", "files"):
                    found |= set(map(str, stored.get(key) or ()))
        for path in (run / "models").rglob("seen.json"):
            found |= set(map(str, SEEN.read(path)["subjects"]))
        for path in (run / "predictions.csv", *run.glob("needs/**/predictions.csv")):
            if path.is_file():
                table = read_predictions(path)
                for name in ("sample_id", "study_id", "patient_id"):
                    found |= set(table[name].dropna())
        manifest = Manifest.open(run).content
        found |= {str(row.get("recording_id")) for row in manifest.get("quarantined") or ()}
        found |= {str(name) for ids in (manifest.get("excluded") or {}).values() for name in ids}
        return found

    def predict_each(
        self,
        models: Sequence[str],
        inputs: Sequence[Path],
        around: Callable[[], AbstractContextManager[T]],
        echo: Echo | None = None,
    ) -> Iterator[tuple[str, T, Opened, FeatureSet]]:
        """Let each model predict some recordings, a model at a time.

        Parameters
        ----------
        models : sequence of str
            Models of the core (fusions, the clinical model) are passed over.
        inputs : sequence of Path
            Recordings; none makes a few synthetic ones. Nothing of them is kept.
        around : callable
            Makes the context in which a model predicts.
        echo : callable, optional

        Yields
        ------
        str, T, Opened, FeatureSet
            The model, what the context gave, the run (task, settings, manifest), the features.

        Raises
        ------
        DataError
            If no recording could be predicted.
        """
        with TemporaryDirectory(prefix="cardio-") as place:
            opened = open_finished(self.run, device="cpu", features_in=Path(place) / "features")
            places = tuple(inputs) or (_synthetic(opened, Path(place) / "synthetic"),)
            # Once without models: what measures recordings is not of the models.
            features = answer(_only(opened, ()), places, echo=echo).prepared.features
            for name in models:
                if not opened.task.model(name).core_owned:
                    with around() as seen:
                        answer(_only(opened, (name,)), places)
                    yield name, seen, opened, features


def _only(opened: Opened, models: Sequence[str]) -> Opened:
    return replace(opened, manifest={**opened.manifest, "models": list(models)})


def _synthetic(opened: Opened, place: Path) -> Path:
    place.mkdir()
    cohort = CohortRequest(opened.task.name, 6, seed=1, difficulty=opened.config.difficulty)
    writer_of(opened.plugin.info, cohort)(place)
    return place


@contextmanager
def looking_into(path: Path) -> Iterator[None]:
    """Tell of any error of a library within the block that the file is damaged.

    Archives, arrays, weights and JSON are read without their readers, to see everything that they
    hold: what raises, and what, is not to be foreseen.

    Parameters
    ----------
    path : Path
        A file within the limits of those that are opened.

    Raises
    ------
    DataError

    Examples
    --------
    >>> import json
    >>> with looking_into(Path("linear.json")):
    ...     json.loads("{")
    Traceback (most recent call last):
    cardio_stats.errors.DataError: linear.json: expected a file that can be looked into, found a \
damaged one (JSONDecodeError); put back a whole copy of the run
    """
    require_fitting([path])
    try:
        yield
    except CardioError:
        raise
    except Exception as error:
        if resource_error(error) is not None:
            raise
        raise DataError.unusable(
            path.name,
            "a file that can be looked into",
            f"a damaged one ({type(error).__name__})",
            "put back a whole copy of the run",
        ) from error
