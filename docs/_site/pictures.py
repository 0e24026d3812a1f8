"""Pictures of a run's page for the tutorials: `python docs/_site/pictures.py RUN`."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

OUT = Path(__file__).parents[1] / "images" / "page"
CHROMIUM = "/usr/bin/chromium"
SHOTS = {"answer.png": (1100, 900, 1.0), "whole.png": (1100, 2600, 0.6)}
"""Name, width and height in pixels of the page, and scale of the picture."""


def main(run: str) -> None:
    """Save the first screen and the first screens together of a run's page."""
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (width, height, scale) in SHOTS.items():
            page = browser.new_page(
                viewport={"width": width, "height": height},
                device_scale_factor=scale,
            )
            page.goto((Path(run).resolve() / "report.html").as_uri(), timeout=120_000)
            page.screenshot(path=str(OUT / name), timeout=120_000)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
