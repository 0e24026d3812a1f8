"""How the models of one target stand: the declared one, the best baseline, their difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cardio_core.io.run_artifact import RunArtifact, RunKind, RunManifest, TargetEntry
from cardio_core.report.results import Row
from cardio_stats.words import level_words, moment, number, span, title_words

# What ran a run, on what and for how long.

LEADING = ("auc", "auc_at", "macro_f1", "c_index", "mae", "r2", "accuracy")
"""The metric of the answer and of the figure below it: the first of these that was computed."""


def compared_word(manifest: RunManifest) -> str:
    """Return what is compared: a run's models, or what was predicted elsewhere and judged.

    Examples
    --------
    >>> compared_word(RunManifest()), compared_word(RunManifest(kind=RunKind.JUDGED))
    ('model', 'score')
    """
    if manifest.kind is not RunKind.JUDGED:
        return "model"
    kinds = {str(target.kind) for target in manifest.targets}
    return "prediction" if kinds == {"continuous"} else "score"


def what_ran(files: RunArtifact) -> list[str]:
    """Return device, state of the plugin contract and time, in sentences."""
    m = files.manifest
    sentences = []
    device = m.device
    if device.name:
        reason = f" ({device.reason})" if device.reason else ""
        precision = f", precision {device.precision}" if device.precision else ""
        sentences.append(f"Device: {device.name}{reason}{precision}.")
    took = span(m.started, m.finished)
    if m.contract.state:
        code = f" (digest of its code {m.contract.code[:12]})" if m.contract.code else ""
        sentences.append(f"Plugin contract: {m.contract.state}{code}.")
    if m.started:
        sentences.append(f"Started {moment(str(m.started))}" + (f", took {took}." if took else "."))
    return sentences


IN_WORDS = {
    "auc": "area under the ROC curve",
    "auc_at": "area under the time-dependent ROC curve",
    "macro_f1": "mean F1 score of the classes",
    "c_index": "concordance index",
    "mae": "mean absolute error",
    "r2": "explained share of the variance (R²)",
    "accuracy": "accuracy",
}

LOWER_IS_BETTER = frozenset({"mae"})


@dataclass(frozen=True)
class Difference:
    """A paired difference, the model's value less the other's; limits may be missing."""

    value: float
    low: float | None
    high: float | None
    level: float | None
    method: str

    @property
    def shown(self) -> str:
        """As it is printed, with its sign and its interval."""
        if self.low is None or self.high is None:
            return f"{number(self.value, signed=True)} (no interval)"
        value, low, high = (number(item, signed=True) for item in (self.value, self.low, self.high))
        return f"{value} ({level_words(self.level)} interval {low} to {high})"


@dataclass(frozen=True)
class Standing:
    """The models of one target under one protocol.

    Attributes
    ----------
    target : str
        Its name.
    metric : str
        The leading metric.
    rows : mapping of str to row
        Of the leading metric, by model, pooled over the folds.
    model : str
        The model whose result is the answer: the declared one, else the first that has a result.
    declared : bool
        Whether it is the one that was declared before the run.
    baselines : tuple of str
        Models that are there to be beaten and have a result.
    differences : mapping of str to Difference
        The model's value less that of each other one, on the units that both predicted.
    """

    target: str
    metric: str
    rows: Mapping[str, Row]
    model: str
    declared: bool
    baselines: tuple[str, ...]
    differences: Mapping[str, Difference]

    @property
    def row(self) -> Row:
        """The leading metric of the model."""
        return self.rows[self.model]

    @property
    def baseline(self) -> str | None:
        """The best of the baselines other than the model itself, which is chosen afterwards."""
        others = [name for name in self.baselines if name != self.model]
        return self.best(others) if others else None

    @property
    def first(self) -> str:
        """The model that ranked first; the answer's own where none is better."""
        return self.best([self.model, *self.rows])

    def best(self, models: Sequence[str]) -> str:
        """Return the best of some models; of equal ones the first."""
        sign = -1.0 if self.metric in LOWER_IS_BETTER else 1.0
        return max(models, key=lambda name: sign * float(self.rows[name].value))

    def gain(self, other: str) -> Difference | None:
        """Return the difference to another model so that above 0 is better, None without one."""
        found = self.differences.get(other)
        if found is None or self.metric not in LOWER_IS_BETTER:
            return found
        low = None if found.high is None else -found.high
        high = None if found.low is None else -found.low
        return Difference(-found.value, low, high, found.level, found.method)


def leading_protocol(files: RunArtifact) -> str:
    """Return the protocol that the answer quotes: honest, unless only another one ran."""
    ran = [row.protocol for row in files.metrics]
    return "honest" if "honest" in ran or not ran else ran[0]


def pooled_rows(files: RunArtifact, protocol: str) -> list[Row]:
    """Return a protocol's rows that are of everybody: no fold, no subgroup."""
    return [
        row for row in files.metrics if row.pooled and not row.subgroup and row.protocol == protocol
    ]


def targets_of(files: RunArtifact) -> list[TargetEntry]:
    """Return what the task predicts; of a run that does not say it, what its metrics name."""
    names = dict.fromkeys(row.target for row in files.metrics if row.target)
    return list(files.manifest.targets) or [TargetEntry(name=name) for name in names]


def target_of(files: RunArtifact, name: str) -> TargetEntry:
    """Return what the task says of a target."""
    found = (item for item in targets_of(files) if item.name == name)
    return next(found, TargetEntry(name=name))


def words_of(files: RunArtifact, name: str) -> str:
    """Return what a reader is shown in place of an identifier, in lower case inside a sentence."""
    words = files.manifest.words
    if name in words:
        return words[name]
    if name == files.manifest.outcome_column:
        return name
    return in_sentence(title_words(name))


def in_sentence(words: str) -> str:
    """Return words as they stand inside a sentence: an abbreviation keeps its capitals.

    Examples
    --------
    >>> in_sentence("Septal flash in a loop"), in_sentence("QRS duration"), in_sentence("T1 at CMR")
    ('septal flash in a loop', 'QRS duration', 'T1 at CMR')
    """
    first = words.split(" ")[0].rstrip(",:;")
    retained = len(first) > 1 and any(mark.isupper() or mark.isdigit() for mark in first[1:])
    return words if retained else words[:1].lower() + words[1:]


def title_of(files: RunArtifact, model: str) -> str:
    """Return the title of a model."""
    titles = files.manifest.model_titles
    return titles.get(model, model) or "the model"


def standings(files: RunArtifact) -> list[Standing]:
    """Return how the models stand by target, those of the declared model first.

    A target without any leading metric is not among them.
    """
    rows = pooled_rows(files, leading_protocol(files))
    by_target = [[r for r in rows if r.target == t.name] for t in targets_of(files)]
    found = [entry for own in by_target if (entry := _standing(files, own)) is not None]
    return sorted(found, key=lambda item: not item.declared)


def _standing(files: RunArtifact, rows: Sequence[Row]) -> Standing | None:
    overall = [row for row in rows if not row.class_name]
    alone = [row for row in overall if not row.versus]
    metric = next((name for name in LEADING if any(r.name == name for r in alone)), None)
    if metric is None:
        return None
    by_model: dict[str, Row] = {}
    for row in alone:
        if row.name == metric:
            by_model.setdefault(row.model, row)
    order = [name for name in files.manifest.models if name in by_model]
    order += [name for name in by_model if name not in order]
    baselines = tuple(n for n in order if n in files.manifest.baselines)
    declared = files.manifest.primary
    others = [name for name in order if name not in baselines]
    model = declared if declared in by_model else (*others, *order)[0]
    return Standing(
        str(rows[0].target),
        metric,
        {name: by_model[name] for name in order},
        model,
        model == declared,
        baselines,
        _differences(overall, f"{metric}_difference", model),
    )


def _differences(rows: Sequence[Row], name: str, model: str) -> dict[str, Difference]:
    found: dict[str, Difference] = {}
    for row in rows:
        if row.name != name or not row.versus:
            continue
        value, low, high = row.value, row.low, row.high
        about = row.level, row.method
        if row.model == model:
            found[row.versus] = Difference(value, low, high, *about)
        elif row.versus == model:
            turned = (None if high is None else -high, None if low is None else -low)
            found[row.model] = Difference(-value, *turned, *about)
    return found
