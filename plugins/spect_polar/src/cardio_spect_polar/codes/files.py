"""Codes as files of an artifact: safetensors for numbers, JSON for the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from cardio_core.api import DataError, ModelArtifact
from cardio_spect_polar.codes.linear import Codes
from cardio_spect_polar.codes.paper import PaperCodes

NUMBERS, NETWORK = "codes.safetensors", "network.safetensors"


def save_codes(codes: Codes | PaperCodes, folder: Path) -> dict[str, Any]:
    """Write codes into a folder and return what `open_codes` needs besides, ready for JSON."""
    cells = codes.cells.astype(np.uint8)
    if isinstance(codes, PaperCodes):
        ModelArtifact(folder).save_network(codes.network, NETWORK)
        save_file(
            {"cells": cells, "centre": codes.centre, "spread": codes.spread}, folder / NUMBERS
        )
        return {
            "kind": "paper",
            "n_cells": int(codes.cells.sum()),
            "hidden": codes.network.hidden,
            "n_features": codes.n,
            "relu": codes.network.relu,
        }
    save_file(
        {
            "cells": cells,
            "mean": codes.mean.astype(np.float32),
            "encoder": np.ascontiguousarray(codes.encoder, np.float32),
            "decoder": np.ascontiguousarray(codes.decoder, np.float32),
        },
        folder / NUMBERS,
    )
    return {"kind": "linear", "channels": codes.channels, "unit": codes.unit}


def open_codes(folder: Path, about: dict[str, Any]) -> Codes | PaperCodes:
    """Read what `save_codes` wrote.

    Raises
    ------
    DataError
        If a file is missing or does not fit.
    """
    path = folder / NUMBERS
    if not path.is_file():
        raise DataError(f"codes: expected {NUMBERS} in the artifact, found none; train again")
    stored = load_file(path)
    cells = stored["cells"].astype(np.bool_)
    if about["kind"] == "paper":
        # torch only where needed
        from cardio_spect_polar.networks.paper_autoencoder import PaperAutoencoder

        network = PaperAutoencoder(
            about["n_cells"], about["hidden"], about["n_features"], about["relu"]
        )
        ModelArtifact(folder).load_network(network, NETWORK)
        return PaperCodes(cells, network.eval(), stored["centre"], stored["spread"])
    mean, encoder, decoder = (
        stored[name].astype(np.float64) for name in ("mean", "encoder", "decoder")
    )
    return Codes(cells, about["channels"], mean, encoder, decoder, about["unit"])
