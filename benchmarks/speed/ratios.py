"""What every benchmark against peers leaves for `make bench`: its ratios, by what was compared."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path


def add_ratios(parser: argparse.ArgumentParser) -> None:
    """Let a benchmark take ``--ratios FILE``."""
    parser.add_argument("--ratios", type=Path, help="write the ratios here, as JSON")


def keep_ratios(file: Path | None, ratios: Mapping[str, float | None]) -> None:
    """Write what was measured of each ratio; a peer that is not installed has none.

    Parameters
    ----------
    file : Path or None
        None where nobody asked.
    ratios : mapping of str to float or None
        How many times more the peer takes than ours does, by what was compared.
    """
    if file is not None:
        known = {name: float(ratio) for name, ratio in ratios.items() if ratio is not None}
        file.write_text(json.dumps(known, indent=1, ensure_ascii=False), encoding="utf-8")
