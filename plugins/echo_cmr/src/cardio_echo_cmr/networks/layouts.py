"""How the released weights of echo networks name their tensors, for `data convert-weights`."""

from __future__ import annotations

from typing import Any


def layouts() -> list[dict[str, Any]]:
    """Return the layouts, in the order in which they are tried."""
    return [
        {
            "name": "echonet_cmr",
            "title": 'R(2+1)D-18 released with the echo to CMR paper (names behind "m.")',
            "axes": "r2plus1d_18",
            "prefix": r"m\.",
        },
        {
            "name": "echonet_dynamic",
            "title": 'R(2+1)D-18 of EchoNet-Dynamic (names behind "module.", one output)',
            "axes": "r2plus1d_18",
            "prefix": r"module\.",
            "head_dropped": "it predicts EchoNet-Dynamic's own quantity (LVEF in %)",
            "head_outputs": 1,
        },
    ]
