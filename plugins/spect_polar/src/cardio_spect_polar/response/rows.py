"""The rows of the comparison: what each one looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Row:
    """What enters one row's regression.

    Attributes
    ----------
    clinical : bool
        The covariates of `train.covariates`.
    indices : tuple of str
        Columns of the block `indices`.
    columns : tuple of str
        Columns of the block `clinical`.
    codes : {"", "autoencoder", "pca"}
        Codes of the phase map, screened before they enter.
    """

    clinical: bool = False
    indices: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    codes: Literal["", "autoencoder", "pca"] = ""


ROWS = {
    "clinical_autoencoder": Row(clinical=True, indices=("psd_deg",), codes="autoencoder"),
    "autoencoder": Row(codes="autoencoder"),
    "clinical": Row(clinical=True),
    "clinical_psd": Row(clinical=True, indices=("psd_deg",)),
    "clinical_pbw": Row(clinical=True, indices=("pbw_deg",)),
    "pca": Row(codes="pca"),
    "psd": Row(indices=("psd_deg",)),
    "pbw": Row(indices=("pbw_deg",)),
    "indices": Row(indices=("psd_deg", "pbw_deg", "entropy")),
    "delay": Row(indices=("delay_deg", "latest_viable_deg")),
    "qrs_duration": Row(columns=("qrs_ms",)),
}
"""By the name under which the task declares them."""
