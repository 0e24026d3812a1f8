"""The built site (`make docs`) in a browser, wide and on a phone: axe finds nothing serious."""

from __future__ import annotations

import shutil

import pytest

from .test_commands import ROOT

SITE = ROOT / "build" / "docs"
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None or not (SITE / "index.html").is_file():
    pytest.skip("chromium is not installed, or the site not built", allow_module_level=True)

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

PAGES = sorted(SITE.rglob("*.html"))


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious_on_any_page(width):
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 844})
        found = []
        for path in PAGES:
            page.goto(path.as_uri())
            found += [
                (path.name, one["id"], one["nodes"][0]["html"])
                for one in axe.Axe().run(page).response["violations"]
                if one["impact"] in ("serious", "critical")
            ]
        browser.close()
    assert found == []
