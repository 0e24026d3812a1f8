"""What is compared on single beats."""

from __future__ import annotations

from cardio_core.api import Fixed, Model, Need, RandomSamples, Target, Task
from cardio_toy.parts.ill import ILL

EVEN = tuple(f"B{n:02d}" for n in range(0, 24, 2))
ODD = tuple(f"B{n:02d}" for n in range(1, 24, 2))

BEATS = Task(
    name="beats",
    title="Shape of every beat",
    unit="event",
    targets=(Target("shape", "multiclass", ("narrow", "wide", "inverted")),),
    models=(Model("network", "Small network"),),
    event_tolerance_s=0.1,
    event_name="beat",
    plans={
        "listed": Fixed(EVEN[1:], ODD),
        "listed_twice": Fixed(EVEN, ODD, overlap="B00 and B23 are one person"),
        "random_beats": RandomSamples(overlap="beats of every patient are on both sides"),
    },
    folder="cardio_toy.beats",
)
THIRD = Task(
    name="third",
    title="Illness from single beats, with a network that knows beats of other patients",
    unit="patient",
    targets=(ILL,),
    models=(Model("network", "Small network, pretrained"),),
    needs=(Need("beats", "other"),),
    folder="cardio_toy.beats",
)
