"""The public data sets that this plugin reads, for `cardio data list` and `cardio data fetch`."""

from __future__ import annotations

from typing import Any

_GOLDBERGER = (
    "Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet. Circulation 2000;101:e215"
)


def datasets() -> list[dict[str, Any]]:
    """Return the data sets in the order in which they are listed."""
    return [_MITDB, _PTBXL]


_MITDB = {
    "name": "mitdb",
    "version": "1.0.0",
    "title": "MIT-BIH Arrhythmia Database",
    "contents": "48 half-hour two-lead ECGs of 47 people at 360 Hz, every beat annotated",
    "size_mb": 94,
    "licence": "Open Data Commons Attribution License v1.0",
    "cite": (
        "Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. "
        "IEEE Eng Med Biol 2001;20(3):45-50",
        _GOLDBERGER,
    ),
    "page": "https://physionet.org/content/mitdb/1.0.0/",
    "files_url": "https://physionet.org/files/mitdb/1.0.0/",
    "witness": "100.hea",
    # The same records once more without annotations, and the pages of a printed book.
    "left_out": ("x_mitdb/", "mitdbdir/"),
    "sums_digest": "d0feeffd1276ebb67612948b2519268c7141ad8154c5b518064a4880a5c13a03",
}
_PTBXL = {
    "name": "ptbxl",
    "version": "1.0.3",
    "title": "PTB-XL, a large publicly available electrocardiography dataset",
    "contents": "21,799 twelve-lead ECGs of 18,869 patients, 10 s at 500 Hz, with statements",
    "size_mb": 2_800,
    "licence": "Creative Commons Attribution 4.0 International",
    "cite": (
        "Wagner P et al. PTB-XL, a large publicly available electrocardiography dataset. "
        "Sci Data 2020;7:154",
        _GOLDBERGER,
    ),
    "page": "https://physionet.org/content/ptb-xl/1.0.3/",
    "files_url": "https://physionet.org/files/ptb-xl/1.0.3/",
    "witness": "ptbxl_database.csv",
    # The same recordings once more, at 100 Hz.
    "left_out": ("records100/",),
}
