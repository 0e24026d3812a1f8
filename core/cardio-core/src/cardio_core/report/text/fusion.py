"""What the page says where finished runs were fused: members, folds, and what fusing is worth."""

from __future__ import annotations

from collections.abc import Iterator

from cardio_core.io.run_artifact import RunArtifact, RunKind, RunManifest
from cardio_core.report.text.ranking import Standing, title_of
from cardio_stats.words import counted, listed, number


def is_fused(files: RunArtifact) -> bool:
    """Return whether a folder is a fusion of runs."""
    return files.manifest.kind is RunKind.FUSED


def labels_of(files: RunArtifact) -> list[str]:
    """Return the names of the members."""
    return [member.label for member in files.manifest.members]


def data_words(manifest: RunManifest) -> str:
    """Return who was joined, and what was predicted."""
    members = manifest.members
    whose = listed(
        [f"{member.label} ({counted(int(member.n_patients), 'patient')})" for member in members]
    )
    n = counted(manifest.data.n_patients or 0, "patient")
    text = (
        f"Out-of-fold predictions of {counted(len(members), 'run')} were joined by patient: "
        f"{whose}; {n} in all. Outcome: {manifest.outcome.rstrip('.')}."
    )
    if manifest.left_out:
        text += f" {manifest.left_out}"
    if manifest.data.source == "synthetic":
        text += " Data are synthetic: made by code, with known truth."
    return text


def models_words(files: RunArtifact) -> str:
    """Return how scores were fused, and what the fusion is held against."""
    titles = listed([f"“{title_of(files, name)}”" for name in labels_of(files)])
    text = (
        f"{titles} were fused: one logistic regression on their log odds, with an indicator for "
        "each model that a patient lacks (its log odds then count as 0), with weights that cannot "
        "be negative, and a ridge that is felt only where patients hardly differ. The fusion was "
        "declared before any result of it was known."
    )
    against = [f"“{title_of(files, str(name))}”" for name in files.manifest.baselines]
    if against:
        text += f" It is held against {listed(against)}, on the same folds."
    return text


def validation_words(files: RunArtifact) -> str:
    """Return how the weights were kept from the tested patients, and what dependence stays."""
    folds = (
        "on the sites that all members had left out one after the other"
        if files.manifest.same_folds
        else "on separate folds, which cut across those of its members"
    )
    return (
        f"The fusion was cross-validated {folds}: weights and threshold of a fold were fitted on "
        "the out-of-fold scores of all other patients (stacking; Wolpert DH. Neural Netw "
        "1992;5:241), and no weight may be negative (Breiman L. Mach Learn 1996;24:49). No score "
        "is of a model that was trained on its patient; but models of other patients were, and the "
        "weights were fitted on what they say. In simulated noise that did not rank. "
    )


def limits(files: RunArtifact) -> list[str]:
    """Return what a fusion cannot say."""
    return [
        "Weights are fitted on scores of models that knew tested outcomes (stacking): only members "
        "that are fitted again inside each fold would be free of it. The unweighted mean is.",
        "Who lacks a modality lacks it for a reason: the weight of its absence is of these "
        "patients, and another centre orders its examinations differently.",
    ]


def beside_members(files: RunArtifact, standing: Standing) -> str:
    """Return how the fusion stands to the best of its members, on those who have it."""
    own = [name for name in labels_of(files) if name in standing.rows]
    if not own or standing.model in own:
        return ""
    best = standing.best(own)
    text = (
        f"Of its {len(own)} members the best alone, “{title_of(files, best)}”, reached "
        f"{number(standing.rows[best].value)}, picked afterwards"
    )
    difference = standing.differences.get(best)
    if difference is None:
        return f"{text}; the two were not compared on the same patients."
    n = counted(int(standing.rows[best].n or 0), "patient")
    return f"{text}; on the {n} who have it, the paired difference is {difference.shown}."


def no_better_than_members(files: RunArtifact, standing: Standing) -> Iterator[str]:
    """Warn where fusing is not shown to be better than a member alone."""
    own = [name for name in labels_of(files) if name in standing.rows and name != standing.model]
    short = []
    for name in own:
        gain = standing.gain(name)
        if gain is None or gain.low is None or gain.low <= 0:
            short.append(name)
    if short:
        titles = listed([f"“{title_of(files, name)}”" for name in short])
        yield (
            f"Fusing is not shown to be better than {titles} alone: the interval of the paired "
            "difference contains 0, or is against it."
        )
