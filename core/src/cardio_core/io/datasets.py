"""Public data sets that cardio knows by name: what they are, their licence, what to cite."""

from __future__ import annotations

import difflib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cardio_core.errors import ConfigError


@dataclass(frozen=True)
class PublicDataset:
    """One public data set, as far as it is fetched.

    `name` stands on the command line and is the folder's; `contents` says in one sentence what it
    holds, of `size_mb` megabytes as far as it is fetched. `page` is where its authors describe it,
    `files_url` the folder that holds the files and their ``SHA256SUMS.txt``. It is recognised by
    the file `witness`; what no plugin reads is `left_out`. `sums_digest` is the SHA-256 of
    ``SHA256SUMS.txt`` where it is known: it pins every file of the data set.
    """

    name: str
    version: str
    title: str
    contents: str
    size_mb: int
    licence: str
    cite: tuple[str, ...]
    plugin: str
    page: str
    files_url: str
    witness: str
    left_out: tuple[str, ...] = ()
    sums_digest: str | None = None

    def found_in(self, folder: Path | None) -> Path | None:
        """Return where the data set lies under a data folder, None if it is not there."""
        if folder is None or not (folder / self.name / self.witness).is_file():
            return None
        return folder / self.name

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of what a user wants to know."""
        hidden = {"witness", "left_out", "sums_digest"}
        return {key: value for key, value in asdict(self).items() if key not in hidden}


_GOLDBERGER = (
    "Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet. Circulation 2000;101:e215"
)

DATASETS = (
    PublicDataset(
        name="mitdb",
        version="1.0.0",
        title="MIT-BIH Arrhythmia Database",
        contents="48 half-hour two-lead ECGs of 47 people at 360 Hz, every beat annotated",
        size_mb=94,
        licence="Open Data Commons Attribution License v1.0",
        cite=(
            "Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. "
            "IEEE Eng Med Biol 2001;20(3):45-50",
            _GOLDBERGER,
        ),
        plugin="ecg_transfer",
        page="https://physionet.org/content/mitdb/1.0.0/",
        files_url="https://physionet.org/files/mitdb/1.0.0/",
        witness="100.hea",
        # The same records once more without annotations, and the pages of a printed book.
        left_out=("x_mitdb/", "mitdbdir/"),
        sums_digest="d0feeffd1276ebb67612948b2519268c7141ad8154c5b518064a4880a5c13a03",
    ),
    PublicDataset(
        name="ptbxl",
        version="1.0.3",
        title="PTB-XL, a large publicly available electrocardiography dataset",
        contents="21,799 twelve-lead ECGs of 18,869 patients, 10 s at 500 Hz, with statements",
        size_mb=2_800,
        licence="Creative Commons Attribution 4.0 International",
        cite=(
            "Wagner P et al. PTB-XL, a large publicly available electrocardiography dataset. "
            "Sci Data 2020;7:154",
            _GOLDBERGER,
        ),
        plugin="ecg_transfer",
        page="https://physionet.org/content/ptb-xl/1.0.3/",
        files_url="https://physionet.org/files/ptb-xl/1.0.3/",
        witness="ptbxl_database.csv",
        # The same recordings once more, at 100 Hz.
        left_out=("records100/",),
    ),
)
"""Every known data set, in the order in which they are listed."""


def find_dataset(name: str) -> PublicDataset:
    """Return the data set of that name.

    Raises
    ------
    ConfigError
        If none is known under it; suggests the nearest.

    Examples
    --------
    >>> find_dataset("mitdb").version
    '1.0.0'
    """
    known = {dataset.name: dataset for dataset in DATASETS}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(f"no data set {name!r} is known; {hint}known: {', '.join(known)}")
    return known[name]


def data_folder() -> Path | None:
    """Return the folder that ``CARDIO_DATA`` names, None where it is not set."""
    named = os.environ.get("CARDIO_DATA")
    return Path(named) if named else None
