"""What is compared on patients: the task, its models, and what each of them is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from cardio_core.api import Model, Need, RandomSamples, Target, Task
from cardio_ecg_transfer.shared.options import OPTIONS

EARLIER = "aami_beats"


@dataclass(frozen=True)
class Recipe:
    """What one model is made of.

    Attributes
    ----------
    kind : str
        ``network`` is fine-tuned; ``deep_features`` takes the pretrained encoder as it is;
        ``median_beat`` and ``measurements`` are fitted on what their names say, ``all_measured`` on
        these and the waves of every lead, ``beat_network`` is a network on these and the median
        beat, ``kernels`` are fitted on random convolutions of the median beat; a
        ``rule`` is published and not fitted at all.
    estimator : str
        The classifier after features that are not learnt with it; of ``trees`` and ``penalised``
        there are several, of which the training patients choose.
    pretrained : bool
        Whether it starts from the earlier task.
    depth : int or None
        Of the network; None is `train.depth`.
    columns : tuple of str
        The measurements that it uses.
    """

    kind: Literal[
        "network",
        "deep_features",
        "median_beat",
        "measurements",
        "all_measured",
        "beat_network",
        "kernels",
        "rule",
    ]
    estimator: Literal["logistic", "svm", "forest", "trees", "penalised", ""] = ""
    pretrained: bool = False
    depth: Literal[18, 50, 101] | None = None
    columns: tuple[str, ...] = ()

    @property
    def earlier_model(self) -> str:
        """The model of `aami_beats` whose encoder this one starts from."""
        return "resnet" if self.depth is None else f"resnet_{self.depth}"


_ANY: tuple[Literal["binary", "multiclass", "continuous"], ...] = (
    "binary", "multiclass", "continuous",
)  # fmt: skip
"""Kinds of an outcome of the user's own; a rule says yes or no alone, and classes are not fused."""

_COMPARED: tuple[tuple[Model, Recipe | None], ...] = (
    (Model("pretrained", "ResNet pretrained on beats, fine-tuned"),
     Recipe("network", pretrained=True)),
    (Model("scratch", "ResNet from scratch"), Recipe("network")),
    (Model("pretrained_50", "ResNet-50 pretrained on beats, fine-tuned"),
     Recipe("network", pretrained=True, depth=50)),
    (Model("scratch_50", "ResNet-50 from scratch"), Recipe("network", depth=50)),
    (Model("pretrained_101", "ResNet-101 pretrained on beats, fine-tuned"),
     Recipe("network", pretrained=True, depth=101)),
    (Model("scratch_101", "ResNet-101 from scratch"), Recipe("network", depth=101)),
    (Model("deep_logistic", "Logistic regression on pretrained features"),
     Recipe("deep_features", "logistic", pretrained=True)),
    (Model("deep_svm", "SVM on pretrained features"),
     Recipe("deep_features", "svm", pretrained=True)),
    (Model("deep_forest", "Random forest on pretrained features"),
     Recipe("deep_features", "forest", pretrained=True)),
    (Model("svm", "SVM on the median beat", baseline=True), Recipe("median_beat", "svm")),
    (Model("forest", "Random forest on the median beat", baseline=True),
     Recipe("median_beat", "forest")),
    (Model("trees", "Trees on all measurements"), Recipe("all_measured", "trees")),
    (Model("kernels", "Random convolution kernels on the median beat"),
     Recipe("kernels", "penalised")),
    (Model("beat_network", "Network on the median beat in twelve leads, measurements beside it"),
     Recipe("beat_network")),
    (Model("fused", "Networks, trees and kernels fused",
           fuses=("pretrained", "trees", "kernels", "beat_network")),
     None),
    (Model("qrs_duration", "QRS duration", baseline=True),
     Recipe("measurements", "logistic", columns=("qrs_ms",))),
    (Model("lbbb", "LBBB", baseline=True, rule=True), Recipe("rule", columns=("lbbb",))),
    (Model("guideline", "Class I guideline: LBBB and QRS ≥ 150 ms", baseline=True, rule=True),
     Recipe("rule", columns=("lbbb", "qrs_global_ms"))),
    (Model("qrs_lbbb", "Logistic regression on QRS duration and LBBB", baseline=True),
     Recipe("measurements", "logistic", columns=("qrs_ms", "lbbb"))),
    (Model("qrs_area", "QRS area of the vectorcardiogram", baseline=True),
     Recipe("measurements", "logistic", columns=("qrs_area_uvs",))),
)  # fmt: skip

RECIPES = {model.name: recipe for model, recipe in _COMPARED if recipe is not None}


def _on_any_outcome(model: Model) -> Model:
    if model.rule:
        return model
    return replace(model, kinds=("binary", "continuous") if model.fuses else _ANY)


_PRETRAINED = tuple(name for name, recipe in RECIPES.items() if recipe.pretrained)

NEEDS_LBBB = tuple(name for name, recipe in RECIPES.items() if "lbbb" in recipe.columns)

_OUTCOME = {
    "lvesv_bl_ml": "outcome LVESV15, the default",
    "lvesv_fu_ml": "outcome LVESV15, the default",
    "lvef_bl_pct": "outcomes LVEF5 and LVEF5ge",
    "lvef_fu_pct": "outcomes LVEF5 and LVEF5ge",
    "nyha_bl": "outcome NYHA1",
    "nyha_fu": "outcome NYHA1",
    "mlhfq_bl": "outcome composite_VISION",
    "mlhfq_fu": "outcome composite_VISION",
    "vol_method": "outcome: one method at both times",
    "vol_method_fu": "outcome: the method at follow-up, where it is another",
    "days_to_followup": "outcome: a follow-up in its time (load.window_days)",
    "followup_status": "outcome: why there is none (load.died_or_transplanted)",
}
_COLUMNS = {
    "path_ecg": "the recordings",
    "timepoint": "rows at baseline are taken; empty is baseline",
    **_OUTCOME,
    "age_y": "Table 1, and the sheet",
    "study_date": "the sheet",
    "sex": "Table 1, the sheet, and LBBB by its definition for men and women",
    "qrs_ms": "Table 1",
    "qrs_morph": "models on LBBB: what a reader saw comes before what is measured",
    "subject_link": "people with several patient_id",
    "site_id": "leaving one hospital out",
}
"""What is read of a cohort table."""

CRT_RESPONSE = Task(
    name="crt_response",
    title="Response to cardiac resynchronization therapy from a twelve-lead ECG",
    unit="patient",
    targets=(Target("response", "binary", ("no", "yes")),),
    models=tuple(_on_any_outcome(model) for model, _ in _COMPARED),
    primary="pretrained",
    any_outcome=True,
    needs=(Need(EARLIER, "other", models=_PRETRAINED),),
    plans={
        "random_beats": RandomSamples(
            overlap="beats are split at random, so beats of every patient are in training and test",
            k=5,
        )
    },
    folder="cardio_ecg_transfer.response",
    columns=_COLUMNS,
    outcome_columns=tuple(_OUTCOME),
    options=OPTIONS,
)
