"""Pictures of a run's page for the tutorials: `python docs/_site/pictures.py RUN`."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

OUT = Path(__file__).parents[1] / "images" / "page"
CHROMIUM = "/usr/bin/chromium"
SECTIONS = ("patients", "performance", "flow", "explanations")
"""Each in a picture of its own, as wide as a page of the site shows it."""


def main(run: str) -> None:
    """Save the top of a run's page down to its forest plot, and sections of it."""
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto((Path(run).resolve() / "report.html").as_uri(), timeout=120_000)
        below = page.locator("section#answer").bounding_box() or {"y": 0, "height": 900}
        hero = {"x": 0, "y": 0, "width": 960, "height": below["y"] + below["height"]}
        page.screenshot(path=str(OUT / "answer.png"), clip=hero, full_page=True, timeout=120_000)
        for name in SECTIONS:
            page.locator(f"section#{name}").screenshot(
                path=str(OUT / f"{name}.png"), timeout=120_000
            )
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
