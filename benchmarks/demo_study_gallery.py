"""The gallery of the README, from the folders that benchmarks/demo_study.py made.

    python benchmarks/demo_study_gallery.py --study study

Sheets of one patient's recordings are made smaller and take fewer colours; figures of reports are
copied as they are.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from PIL import Image

GALLERY = Path(__file__).parents[1] / "docs" / "images" / "gallery"
WIDTH_PX, N_COLOURS = 1000, 256
LARGEST_BYTES = 1_000_000
"""Of all pictures together."""

SHEETS = ("ecg", "spect", "echo")
FIGURES = {
    "fused-forest.svg": "fused/figures/forest-outcome.svg",
    "fused-decision-curve.svg": "fused/figures/honest-decision-curve-outcome.svg",
    "compared-roc.svg": "compared/figures/roc-outcome.svg",
}


def smaller(source: Path, target: Path) -> None:
    """Write a picture of at most `WIDTH_PX` columns in few colours."""
    with Image.open(source) as opened:
        picture = opened.convert("RGB")
    height = round(picture.height * WIDTH_PX / picture.width)
    picture = picture.resize((WIDTH_PX, height), Image.Resampling.LANCZOS)
    picture.quantize(N_COLOURS, dither=Image.Dither.NONE).save(target, "PNG", optimize=True)


def main() -> None:
    """Write the gallery, and say how large it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--study", type=Path, default=Path("study"))
    study = parser.parse_args().study
    GALLERY.mkdir(parents=True, exist_ok=True)
    for name in SHEETS:
        (sheet,) = (study / "sheets" / name / "sheets").glob("*.png")
        smaller(sheet, GALLERY / f"sheet-{name}.png")
    for name, place in FIGURES.items():
        shutil.copyfile(study / place, GALLERY / name)
    size = sum(file.stat().st_size for file in GALLERY.iterdir())
    if size > LARGEST_BYTES:
        raise SystemExit(f"{GALLERY}: {size} bytes; expected {LARGEST_BYTES} at most")
    print(f"{GALLERY}: {size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
