"""What this plugin predicts, and the rows that are compared."""

from __future__ import annotations

from cardio_core.api import Model, Need, RandomSamples, Target, Task

_TARGETS = (Target("septal_flash", "binary", ("no", "yes")),)
_NETWORKS = (
    # First, because it leads the report: the flash takes a twentieth of the whole M-mode's pixels.
    Model("densenet_crop", "DenseNet121 on the cropped M-mode"),
    Model("densenet", "DenseNet121 on the M-mode"),
)

PHANTOM_FLASH = Task(
    name="phantom_flash",
    title="Septal flash on phantoms: the pretraining where there are no other weights",
    unit="study",
    targets=_TARGETS,
    models=_NETWORKS,
)

SEPTAL_FLASH = Task(
    name="septal_flash",
    title="Septal flash in an apical four-chamber loop",
    unit="study",
    targets=_TARGETS,
    models=(
        *_NETWORKS,
        Model("densenet_scratch", "DenseNet121 on the M-mode, from scratch"),
        Model("excursion", "Early inward excursion of the septum", baseline=True),
        Model("motion", "Time course of the septal excursion", baseline=True),
    ),
    needs=(Need("phantom_flash", "other"),),
    plans={
        "random_studies": RandomSamples(
            overlap="studies are split at random, so a patient's baseline and follow-up may stand "
            "on both sides, and their shifted copies validate the network",
            test_share=0.2,
        ),
    },
)
