"""What the page of an external validation says: how far the new patients are from the run's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cardio_core.io.run_artifact import RunArtifact, RunKind
from cardio_core.io.run_schema import FileSchema
from cardio_core.report.results import Row
from cardio_core.report.text.ranking import (
    IN_WORDS,
    LOWER_IS_BETTER,
    Standing,
    pooled_rows,
    title_of,
)
from cardio_core.types.notes import Note, NoteKind
from cardio_stats.words import count, counted, level_words, listed, number

EXTERNAL, INTERNAL = "external", "internal"
HEADS = {
    "external-beside-internal": "What changed against the run's own folds",
    "external-coverage": "Coverage of the run's prediction sets and intervals",
    "external-applicability": "How like the run's patients these are",
    "external-recalibration": "Recalibration, apart from the validation",
}
TABLES = tuple(HEADS)
"""Tables that stand open, in their order, and what stands above them."""
RECALIBRATED = (
    "Only the first column is the validation. The others are fitted on these very patients, each "
    "patient with the coefficients of nine other tenths of them (cross-fitted): what a "
    "recalibration here would bring. No other number of this page rests on it."
)
FALSE_ALARM = 0.01
"""p below which coverage is said to be lost, patients to lie outside, intercept or slope to be off:
a page warns of several things, and together they seldom warn by chance."""


def is_external(files: RunArtifact) -> bool:
    """Return whether the page is that of an external validation."""
    return files.manifest.kind is RunKind.EXTERNAL


def run_words(files: RunArtifact) -> str:
    """Name the run that was validated."""
    made = files.manifest.evaluated
    what = "exported models" if made.kind == "exported" else "run"
    return f"the {what} “{made.run}”"


def where(files: RunArtifact) -> str:
    """Return in whom the answer was found."""
    checked = bool(files.manifest.overlap.get("checked", True))
    whom = "patients whom it had not seen" if checked else "other patients"
    return f"In an external validation of {run_words(files)}, on {whom}"


def beside_words(files: RunArtifact, standing: Standing) -> tuple[str, ...]:
    """Return how the result stands to the run's own folds, and coverage here."""
    texts = []
    change, before = _change(files, standing), _internal(files, standing)
    if change is not None and before is not None:
        verdict = {True: "worse here", False: "better here", None: "no change is shown"}[
            _worse(change, standing.metric)
        ]
        texts.append(
            f"In the run's own folds it had {shown(before)}; external less internal is "
            f"{shown(change, signed=True)}: {verdict}."
        )
    covered = _coverage(files, standing)
    if covered:
        shares = [f"{100 * row.value:.0f} % of {_whose(row)}" for row in covered]
        texts.append(f"The run's {_sets(standing)}, made for 90 %, hold {listed(shares)}.")
    outside, edge = (
        _of_everybody(files, f"{verdict}_share") for verdict in ("outside", "borderline")
    )
    if outside and edge:
        texts.append(
            f"Of {counted(outside[0].n or 0, 'patient')}, {_percent(outside[0])} are outside "
            f"the patients of training and {_percent(edge[0])} at their edge."
        )
    return tuple(texts)


def _percent(row: Row) -> str:
    low, high = 100 * (row.low or 0.0), 100 * (row.high or 0.0)
    return f"{100 * row.value:.0f} % ({low:.0f} to {high:.0f} %)"


def warnings(files: RunArtifact, standing: Standing) -> Iterator[str]:
    """Yield what is worse here than in the run's folds, each only where chance hardly makes it."""
    change = _change(files, standing)
    if change is not None and _worse(change, standing.metric):
        yield (
            f"The {IN_WORDS[standing.metric]} is {number(abs(change.value))} worse here "
            f"than in the run's own folds ({level_words(change.level)} interval of the "
            f"change {_limits(change, signed=True)})."
        )
    covered = [row for row in _coverage(files, standing) if row.p_value is not None]
    short = [row for row in covered if (row.p_value or 0.0) < FALSE_ALARM / len(covered)]
    if short:
        those = [f"{100 * row.value:.0f} % of {_whose(row)}" for row in short]
        yield (
            f"Coverage is lost: {_sets(standing)} made for 90 % hold {listed(those)}; "
            "do not rely on them here without calibrating them anew."
        )
    yield from _outside(files)
    own = _by_name(files, standing)
    off = own.get("calibration_in_the_large")
    if off is not None and _certain(off):
        too = "low" if off.value > 0 else "high"
        expected, observed = off.extra.get("expected"), off.extra.get("observed")
        rates = (
            f": {100 * expected:.0f} % were predicted, {100 * observed:.0f} % happened"
            if expected is not None and observed is not None
            else ""
        )
        yield f"Predicted probabilities are too {too} on the whole{rates}."
    slope = own.get("calibration_slope")
    if slope is not None and _certain(slope):
        sense = "extreme" if slope.value < 1 else "timid"
        yield f"Predictions are too {sense} here: the calibration slope is {shown(slope)}."


def _outside(files: RunArtifact) -> Iterator[str]:
    """Yield that more patients are unlike those of training than chance brings."""
    for row in _of_everybody(files, "outside_share"):
        if row.p_value is not None and float(row.p_value) < FALSE_ALARM:
            yield (
                f"{100 * row.value:.0f} % of {counted(row.n or 0, 'patient')} lie "
                "outside the patients of training, where 5 % may by chance: the run tells little "
                "of such patients."
            )


def _of_everybody(files: RunArtifact, name: str) -> list[Row]:
    return [row for row in pooled_rows(files, EXTERNAL) if row.name == name]


def of_overlap(files: RunArtifact) -> Iterator[str]:
    """Yield who was left out for having been in training, and what could not be checked."""
    found = files.manifest.overlap
    if found.get("left_out"):
        yield (
            f"{counted(int(found['left_out']), 'patient')} had been in training (known again: "
            f"{found.get('by')}) and {'is' if found['left_out'] == 1 else 'are'} left out."
        )
    grave = (NoteKind.OVERLAP_UNCHECKED, NoteKind.OVERLAP_ON_TRUST)
    yield from (note.text for note in _on_overlap(files) if note.kind in grave)


_NOTES = FileSchema("what is known of patients in both", tuple[Note, ...])


def _on_overlap(files: RunArtifact) -> tuple[Note, ...]:
    found: tuple[Note, ...] = _NOTES.check(
        files.manifest.overlap.get("notes", []), files.folder / "manifest.json"
    )
    return found


def data_words(files: RunArtifact) -> str:
    """Return what was validated, and on whom."""
    made = files.manifest.evaluated
    data = files.manifest.data
    digest = f" (SHA-256 {str(made.final_models)[:12]})" if made.final_models else ""
    trained = f", fitted on {counted(int(made.n_patients), 'patient')}" if made.n_patients else ""
    return (
        f"The final models of {run_words(files)}{digest}{trained}, were validated on "
        f"{data.path_shown} as they are: nothing was refitted, no threshold chosen and no "
        "prediction set calibrated anew."
    )


def validation_words(files: RunArtifact) -> str:
    """Return how patients of the training were kept out, and what the comparison rests on."""
    found = files.manifest.overlap
    texts = [note.text for note in _on_overlap(files)]
    if found.get("left_out"):
        texts.append(f"{counted(int(found['left_out']), 'patient')} so found were left out.")
    texts.append(
        "Results are shown next to those of the run's cross-validation (honest protocol, out of "
        "fold); the patients are others, and the interval of each difference is made from the two "
        "intervals (MOVER). The final models were fitted on everybody in the run, those of its "
        "folds on a part."
    )
    texts.append(
        "Coverage of prediction sets is tested against what the run's calibration patients allow "
        "(beta-binomial). A recalibration on these patients, in the large and by intercept and "
        "slope, is shown apart, cross-fitted by patient, and enters no other number."
    )
    return " ".join(texts)


def limits_words(files: RunArtifact) -> list[str]:
    """Return what an external validation cannot say."""
    texts = []
    if any(note.kind == NoteKind.OVERLAP_UNCHECKED for note in _on_overlap(files)):
        texts.append("Whether all these patients are new to the run could not be checked in full.")
    texts.append(
        "A change against the run's folds may come from other patients (case mix, prevalence), "
        "other recordings, or a model fitted too closely; this page does not tell them apart."
    )
    made = files.manifest.evaluated
    if not made.by_site:
        texts.append("Sites were not distinguished.")
    if made.source == "synthetic":
        texts.append("The run was fitted on synthetic patients.")
    return texts


def updating_words(files: RunArtifact) -> str:
    """Return the coefficients of a recalibration, as an item of a checklist asks for updating."""
    if not files.tables_named("external-recalibration"):
        return ""
    return (
        "the models were not updated; what a recalibration in the large or by slope would bring "
        "stands in tables/external-recalibration.csv"
    )


def _internal(files: RunArtifact, standing: Standing) -> Row | None:
    for row in pooled_rows(files, INTERNAL):
        place = row.target, row.model, row.name
        if place == (standing.target, standing.model, standing.metric) and not row.class_name:
            return row
    return None


def _change(files: RunArtifact, standing: Standing) -> Row | None:
    return _by_name(files, standing).get(f"{standing.metric}_change")


def _by_name(files: RunArtifact, standing: Standing) -> dict[str, Row]:
    return {
        row.name: row
        for row in pooled_rows(files, EXTERNAL)
        if (row.target, row.model) == (standing.target, standing.model)
        and not row.versus and not row.class_name
    }  # fmt: skip


def _coverage(files: RunArtifact, standing: Standing) -> list[Row]:
    """Return coverage by class where there are classes, else of all."""
    rows = [
        row for row in pooled_rows(files, EXTERNAL)
        if (row.target, row.model, row.name)
        == (standing.target, standing.model, "conformal_coverage")
    ]  # fmt: skip
    return [row for row in rows if row.class_name] or rows


def _sets(standing: Standing) -> str:
    return "prediction intervals" if standing.metric in LOWER_IS_BETTER else "prediction sets"


def _whose(row: Row) -> str:
    n = int(row.n or 0)
    if not row.class_name:
        return f"{counted(n, 'patient')}"
    return f"the {count(n)} “{row.class_name}”"


def _worse(change: Row, metric: str) -> bool | None:
    """Return whether a change is for the worse (True), for the better, or within chance (None)."""
    low, high = float(change.low or 0.0), float(change.high or 0.0)
    if metric in LOWER_IS_BETTER:
        low, high = -high, -low
    return True if high < 0 else False if low > 0 else None


def _certain(row: Row) -> bool:
    return row.p_value is not None and float(row.p_value) < FALSE_ALARM


def shown(row: Row, *, signed: bool = False) -> str:
    """Return a value with its interval, as sentences have it."""
    value = number(row.value, signed=signed)
    if row.low is None or row.high is None:
        return value
    return f"{value} ({level_words(row.level)} interval {_limits(row, signed=signed)})"


def _limits(row: Row, *, signed: bool = False) -> str:
    return f"{number(row.low, signed=signed)} to {number(row.high, signed=signed)}"


def models_words(files: RunArtifact, names: Sequence[str]) -> str:
    """Return which models were validated."""
    titles = listed([f"“{title_of(files, name)}”" for name in names])
    text = f"Validated: {titles}."
    if files.manifest.primary:
        text += (
            f" “{title_of(files, str(files.manifest.primary))}” was the primary model of the "
            "run, declared before any result was known."
        )
    return text
