"""How many times faster ours is promised to be than each peer: the one table of `make bench`.

A floor leaves room for a machine that does other things: about two thirds of what a quiet one
gave. Below 1 the peer is faster, and the floor says by how much at most. A benchmark that
measures a ratio without a floor fails, and so does a floor that nothing measures, unless its peer
may be absent.
"""

from __future__ import annotations

OPTIONAL_PEERS = ("pROC", "confidenceinterval")
"""R is no Python package, and the other one is old: where they are absent, others are held."""

_CLIPS = 20.0  # measured: 60 to 370, and asked for: 5; one clip from the cache takes microseconds

FLOORS: dict[str, dict[str, float]] = {
    "stats": {
        "bootstrap of 1000 rows beside a loop over sklearn": 110,
        "bootstrap of 1000 rows beside confidenceinterval": 100,
        "bootstrap of 1000 rows beside pROC": 30,
        "bootstrap of the patients of 1000 rows beside a loop over sklearn": 400,
        "bootstrap of 20000 rows beside a loop over sklearn": 22,
        "bootstrap of 20000 rows beside confidenceinterval": 20,
        "bootstrap of 20000 rows beside pROC": 22,
        "bootstrap of the patients of 20000 rows beside a loop over sklearn": 120,
        "DeLong of 1000 rows beside pROC": 2,
        "DeLong of 20000 rows beside pROC": 3,
    },
    "phase": {"phases of a study beside map_coordinates ray by ray": 10},
    "mmode": {
        "M-modes beside vtkImageReslice": 10,
        "M-modes beside map_coordinates": 20,
        "M-modes beside cv2.remap": 1.5,
    },
    "spectrograms": {
        "spectrograms beside scipy and OpenCV": 2.4,
        "spectrograms beside scipy and OpenCV, same memory": 0.9,
    },
    "r_peaks": {
        "R peaks beside wfdb gqrs": 20,
        "R peaks beside wfdb xqrs": 17,
        "R peaks beside neurokit2 neurokit": 2.6,
        "R peaks beside neurokit2 pantompkins1985": 0.3,
        "R peaks beside neurokit2 hamilton2002": 4,
        "R peaks beside neurokit2 elgendi2010": 7,
        "R peaks beside neurokit2 engzeemod2012": 23,
        "R peaks beside neurokit2 kalidas2017": 0.4,
        "R peaks beside neurokit2 rodrigues2021": 2.8,
        "R peaks beside neurokit2 christov2004": 55,
        "R peaks beside neurokit2 zong2003": 45,
        "R peaks beside neurokit2 manikandan2012": 0.65,
        "R peaks beside neurokit2 khamis2016": 9.5,
    },
    "echo_loader": {
        "random clips, paper 16 x 2, beside decoding for each clip": _CLIPS,
        "fixed clips, paper 16 x 2, beside decoding for each clip": _CLIPS,
        "random clips, echonet 32 x 2, beside decoding for each clip": _CLIPS,
        "fixed clips, echonet 32 x 2, beside decoding for each clip": _CLIPS,
        "frames, RGB beside pydicom's pixel_array": 3.4,
        "frames, grey beside pydicom's pixel_array": 7.4,
    },
    "echo_train": {"training step of width 0.25 beside a plain loop": 1.5},
    "startup": {
        "import torch beside cardio predict, until it reads the file": 0.6,
        "import torch beside cardio predict, all its imports": 0.15,
        "import torch beside cardio predict, in all": 0.06,
    },
    "startup_stats": {
        f"import pandas, scipy.stats beside cardio stats {name}": 0.85
        for name in ("table1", "univariable", "multivariable", "roc", "compare", "calibration",
                     "agreement")
    },
    # 1.7 is asked for, and was not reached.
    "two_processes": {
        f"{name}: features and training{of_what}": floor
        for name in ("spect_long", "mmode_long")
        for of_what, floor in (
            ("", 1.3),
            (", of what two processes that share nothing reach", 0.7),
        )
    },
}  # fmt: skip
