"""What is compared on single beats: the task and its models."""

from __future__ import annotations

from cardio_core.api import Fixed, Model, RandomSamples, Target, Task
from cardio_ecg_transfer.readers.mitbih import AAMI_CLASSES, DS1, DS2, DS2_STRICT, SAME_MAN
from cardio_ecg_transfer.shared.options import OPTIONS

EVIDENCE = "evidence"
"""The model that is no network."""

AAMI_BEATS = Task(
    name="aami_beats",
    title="AAMI beat classes from single beats",
    unit="event",
    targets=(Target("aami_class", "multiclass", AAMI_CLASSES, unscored=("Q",)),),
    models=(
        Model("resnet", "ResNet on spectrograms"),
        Model("resnet_50", "ResNet-50 on spectrograms"),
        Model("resnet_101", "ResNet-101 on spectrograms"),
        Model(EVIDENCE, "Trees on rhythm, P wave, shape and noise"),
    ),
    event_tolerance_s=0.15,
    event_name="beat",
    plans={
        "dechazal_strict": Fixed(DS1, DS2_STRICT),
        "dechazal": Fixed(DS1, DS2, overlap=SAME_MAN),
        "random_beats": RandomSamples(
            overlap="beats are split at random, so beats of every patient are in training and test",
            test_share=0.2,
        ),
    },
    folder="cardio_ecg_transfer.beats",
    columns={"path_ecg": "the recordings, with annotations of their beats in the same folder"},
    options=OPTIONS,
)

DEPTHS = {"resnet_50": 50, "resnet_101": 101}
"""Of the models whose name says it; the others go by the configuration."""
