"""What the methods text says where predictions made elsewhere were judged."""

from __future__ import annotations

from collections.abc import Iterable

from cardio_core.io.run_artifact import MetricRow, RunArtifact, RunManifest
from cardio_core.report.told.standing import pooled_rows, protocol_told
from cardio_core.report.words import METRICS, counted, listed

_PEOPLE = ("Brier", "Youden")
"""They keep their capitals within a sentence."""


def data_words(manifest: RunManifest) -> str:
    """Return the outcome, who was judged, and what was missing."""
    data = manifest.data
    column, outcome = manifest.outcome_column, manifest.outcome
    about = outcome.removeprefix(str(column)).strip() or "."
    said = f"The outcome was {column}, a column of {data.path_shown}{about}"
    patients = int(data.n_patients or 0)
    said += f" {counted(patients, 'patient')} {'was' if patients == 1 else 'were'} judged."
    return f"{said} {manifest.left_out}" if manifest.left_out else said


def measures_words(files: RunArtifact, leading: Iterable[str]) -> str:
    """Return the further measures by the method of their intervals, and the thresholds."""
    rows = [
        row for row in pooled_rows(files, protocol_told(files))
        if not row.versus and not row.class_name and row.name not in leading
    ]  # fmt: skip
    by_method: dict[str, dict[str, None]] = {}
    for row in rows:
        name = METRICS.get(row.name, row.name.replace("_", " "))
        own = name[1:2].isupper() or name[1:2].isdigit() or name.startswith(_PEOPLE)
        word = name if own else name[0].lower() + name[1:]
        by_method.setdefault(row.method, {})[word] = None
    # one that has another number of bins is the same measure
    named: set[str] = set()
    groups = []
    for method, words in by_method.items():
        new = [word for word in words if word not in named]
        named.update(new)
        groups += [f"{listed(new)} ({method})"] if new else []
    said = f" Further measures, with their intervals: {'; '.join(groups)}." if groups else ""
    sources = dict.fromkeys(str(r.threshold_source) for r in rows if r.threshold_source)
    plain = [one.removeprefix("fixed: ") for one in sources]
    if plain:
        said += f" Threshold of a positive decision: {listed(plain)}."
    groups_of = {row.subgroup for row in files.metrics if row.subgroup}
    if groups_of:
        said += (
            f" The area is given in {counted(len(groups_of), 'group')} of patients, too, each "
            "with an interval of its own and without a test between them."
        )
    return said


def comparison_words(files: RunArtifact) -> str:
    """Return how p of several pairs is corrected, as the rows themselves note it."""
    n_pairs = sum(adjusted_p(row) is not None for row in files.metrics)
    if not n_pairs:
        return "neither intervals nor p-values are corrected for the number of comparisons"
    return (
        f"beside each p-value of an area stands the one adjusted for {counted(n_pairs, 'pair')} "
        "(max-T); intervals and other p-values are not corrected for the number of comparisons"
    )


def adjusted_p(row: MetricRow) -> float | None:
    """Return p adjusted for all pairs, None where a row has none."""
    found: float | None = row.extra.get("p_adjusted")
    return found
