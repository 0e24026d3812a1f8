"""Studies of synthetic patients, drawn without their loops."""

from __future__ import annotations

import numpy as np

from cardio_mmode_septal_flash.synthetic.patients import (
    Study,
    draw_patient,
)


def studies(n_patients: int, difficulty: str, *, confounder: bool = False) -> list[Study]:
    return [
        study
        for number in range(1, n_patients + 1)
        for study in draw_patient(
            f"p{number}",
            np.random.default_rng([11, number]),
            difficulty=difficulty,
            confounder=confounder,
        )
    ]
