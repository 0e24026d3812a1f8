"""What this plugin predicts, the models that are compared, and how each of them is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cardio_core.api import Model, Need, Option, RandomSamples, Target, Task
from cardio_ultrasound import LOOP_OPTIONS

if TYPE_CHECKING:
    from cardio_core.api import Context

Kind = Literal["binary", "multiclass", "continuous"]

LOOPS, SEPTUM, R_PEAKS = "path_echo_a4c", "path_septum", "path_rpeaks"
UNNAMED = "path_echo"
PATHS = {
    LOOPS: "Apical four-chamber clips.",
    UNNAMED: "Echo clips whose view nobody named.",
    SEPTUM: "Septal points or contour.",
    R_PEAKS: "R-peak times.",
}
"""Columns of the cohort table that name files of this plugin, and what they hold."""

A4C, VIEW_STATED = "a4c", "view_stated"
"""The view of the field, and the column of the samples that holds what a cohort table names, empty
where nobody says it."""

EARLIER = "phantom_flash"

_FOLDER = "cardio_mmode_septal_flash.flash"
_TARGETS = (Target("septal_flash", "binary", ("no", "yes")),)
_ANY: tuple[Kind, ...] = ("binary", "multiclass", "continuous")
_NETWORKS = (
    # First, because it leads the report: the flash takes a twentieth of the whole M-mode's pixels.
    Model("densenet_crop", "DenseNet121 on the cropped M-mode", kinds=_ANY),
    Model("densenet", "DenseNet121 on the M-mode", kinds=_ANY),
)

_COLUMNS = {
    LOOPS: "the recordings",
    UNNAMED: "a folder of a study, whose apical four-chamber loops are looked for",
    SEPTUM: "the septum, where it is not found by itself",
    R_PEAKS: "R peaks, where the loop has none",
    "sf_label": "outcome: what a reader saw",
    "timepoint": "which studies are taken; empty is baseline",
    "mvc_ms": "mitral closure in the pictures",
    "avo_ms": "aortic opening in the pictures",
    "age_y": "Table 1",
    "sex": "Table 1",
    "qrs_ms": "Table 1",
    "subject_link": "people with several patient_id",
    "site_id": "leaving one hospital out",
    "scanner_id": "which scanner",
}
"""What is read of a cohort table."""

_OPTIONS = (
    *LOOP_OPTIONS,
    Option("septum", "JSON of the septum, instead of one that is found", column=SEPTUM),
    Option("rpeaks", "JSON of the R peaks, instead of the loop's own", column=R_PEAKS),
    Option(
        "view",
        "The loops are apical four-chamber views, as you have seen yourself",
        setting="load.view",
        form="a4c",
        for_new=True,
    ),
)

PHANTOM_FLASH = Task(
    name=EARLIER,
    title="Septal flash on phantoms: the pretraining where there are no other weights",
    unit="study",
    targets=_TARGETS,
    models=_NETWORKS,
    folder=_FOLDER,
    columns=_COLUMNS,
    outcome_columns=("sf_label",),
    options=_OPTIONS,
)

SEPTAL_FLASH = Task(
    name="septal_flash",
    title="Septal flash in an apical four-chamber loop",
    unit="study",
    targets=_TARGETS,
    models=(
        *_NETWORKS,
        Model("densenet_scratch", "DenseNet121 on the M-mode, from scratch", kinds=_ANY),
        Model("excursion", "Early inward excursion of the septum", baseline=True, kinds=_ANY),
        Model("motion", "Time course of the septal excursion", baseline=True, kinds=_ANY),
    ),
    primary="densenet_crop",
    any_outcome=True,
    needs=(Need(EARLIER, "other", models=tuple(model.name for model in _NETWORKS)),),
    plans={
        "random_studies": RandomSamples(
            overlap="studies are split at random, so a patient's baseline and follow-up may stand "
            "on both sides, and their shifted copies validate the network",
            test_share=0.2,
        )
    },
    folder=_FOLDER,
    columns=_COLUMNS,
    outcome_columns=("sf_label",),
    options=_OPTIONS,
)


@dataclass(frozen=True)
class FlashModel:
    """How one model is fitted.

    Attributes
    ----------
    kind : {"network", "excursion", "course"}
        A DenseNet on pictures, a regression on the early inward excursion, or one on everything
        that was measured of the septum's course.
    crop : bool
        Whether the network sees the crop around the septum and the first half of the cycle.
    pretrained : bool
        Whether it starts from other weights, where the task needs some.
    """

    kind: Literal["network", "excursion", "course"]
    crop: bool = False
    pretrained: bool = False

    @property
    def picture(self) -> str:
        """The block of features that the network sees."""
        return "picture_crop" if self.crop else "picture"

    @property
    def cycle_share(self) -> float:
        """The part of the RR interval that the picture spans."""
        return 0.5 if self.crop else 1.0


MODELS = {
    "densenet": FlashModel("network", pretrained=True),
    "densenet_crop": FlashModel("network", crop=True, pretrained=True),
    "densenet_scratch": FlashModel("network"),
    "excursion": FlashModel("excursion"),
    "motion": FlashModel("course"),
}
"""By the name under which the tasks declare them."""


def model_of(ctx: Context) -> FlashModel:
    """Return how the model that the context names is fitted."""
    return MODELS[str(ctx.model)]


def is_flash(ctx: Context) -> bool:
    """Whether septal flash is predicted, and not an outcome of the user's own.

    What is known of a flash (when and where it is, what the paper reports) is said of nothing else.
    """
    return ctx.outcome is None
