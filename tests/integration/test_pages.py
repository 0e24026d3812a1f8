"""The page in a browser: what a reader sees of a run of every plugin and of the toy.

The plugins' pages are built from stored runs (see pages/store.py), the toy's from one made here.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from cardio_core.report.page import build_report

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("chromium is not installed: no page is opened", allow_module_level=True)

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

pytestmark = pytest.mark.shown

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
STORED = Path(__file__).parent / "pages" / "stored"
PLUGINS = ("ecg_transfer", "spect_polar", "mmode_septal_flash", "echo_cmr")
PAGES = ("toy", *PLUGINS)

WIDE, PHONE = (1280, 900), (390, 844)
MAX_WORDS = 2000
MAX_SCREENS = {WIDE: 6, PHONE: 14}
MAX_PRINTED = 8

IDENTIFIER = re.compile(r"\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b")
UNFOLD = "for (const one of document.querySelectorAll('details')) one.open = true"
READ = """() => {
  for (const one of document.querySelectorAll('pre, code, .ids, .id')) one.remove();
  return document.body.innerText;
}"""

TOO_WIDE = """() => [...document.querySelectorAll('main *, header *')].filter(one => {
  if (one.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let at = one.parentElement; at; at = at.parentElement)
    if (getComputedStyle(at).overflowX !== 'visible') return false;
  return true;
}).map(one => `${one.tagName} ${one.className} ${one.textContent.slice(0, 60)}`)"""


@pytest.fixture(scope="module")
def page_of(tmp_path_factory, run_toy) -> Callable[[str], Path]:
    """The report of a plugin or of the toy."""

    @cache
    def made(name: str) -> Path:
        run = tmp_path_factory.mktemp("page") / name
        if name == "toy":
            run_toy(run)
        else:
            with zipfile.ZipFile(STORED / f"{name}.zip") as archive:
                archive.extractall(run)
        return build_report(run)

    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, page_of):
    """Open a page; what it asked for and what its console said hang on it."""
    contexts = []

    def opened(name, size=WIDE, scheme="light", **more):
        width, height = size
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **more
        )
        contexts.append(context)
        page = context.new_page()
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda line: page.said.append(line.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(page_of(name).as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


def severe(page) -> list[str]:
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def sights():
    """The toy's page small and dark (wide and light it is read unfolded); slow tests have all."""
    for size, scheme, text in (
        (WIDE, "light", "wide-light"), (PHONE, "light", "phone-light"),
        (WIDE, "dark", "wide-dark"), (PHONE, "dark", "phone-dark"),
    ):  # fmt: skip
        for name in PAGES:
            fast = name == "toy" and text in ("phone-light", "wide-dark")
            marks = [] if fast else [pytest.mark.slow]
            yield pytest.param(size, scheme, name, id=f"{text}-{name}", marks=marks)


@pytest.mark.parametrize(("size", "scheme", "name"), list(sights()))
def test_everybody_can_read_it(open_page, name, size, scheme):
    assert severe(open_page(name, size, scheme)) == []


def seldom(*fast: str) -> list:
    """Return every page, slow where it is not named: what is tested is the same in all."""
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in PAGES]


@pytest.mark.parametrize("name", seldom("toy"))
def test_everybody_can_read_what_is_unfolded(open_page, name):
    page = open_page(name)
    page.evaluate(UNFOLD)
    assert severe(page) == []


@pytest.mark.parametrize("name", seldom("toy", "echo_cmr"))
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_it_is_read_in_a_few_screens(open_page, name, size):
    page = open_page(name, size)
    assert len(page.inner_text("body").split()) <= MAX_WORDS
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height <= MAX_SCREENS[size] * size[1]


@pytest.mark.parametrize("name", seldom("toy", "echo_cmr"))
def test_a_phone_scrolls_in_one_direction(open_page, name):
    page = open_page(name, PHONE)
    page.evaluate(UNFOLD)
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("name", seldom("toy", "echo_cmr"))
def test_it_is_printed_on_a_few_sheets(open_page, name):
    sheets = re.findall(rb"/Type\s*/Page\b(?!s)", open_page(name).pdf(format="A4"))
    assert 1 <= len(sheets) <= MAX_PRINTED


@pytest.mark.parametrize("name", seldom("toy"))
def test_it_asks_nobody_and_complains_of_nothing(open_page, name):
    page = open_page(name)
    page.evaluate(UNFOLD)
    assert page.said == []
    assert [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert sum(url.startswith("file:") for url in page.asked) == 1


@pytest.mark.parametrize("name", seldom("toy", "echo_cmr"))
def test_a_picture_in_a_figure_is_there(open_page, name):
    page = open_page(name)
    empty = "[...document.querySelectorAll('svg image')].filter(one => !one.href.baseVal).length"
    assert page.evaluate(empty) == 0


@pytest.mark.parametrize("name", seldom("toy", "echo_cmr"))
def test_no_identifier_of_code_is_shown(open_page, name):
    page = open_page(name)
    page.evaluate(UNFOLD)
    text = page.evaluate(READ)
    assert len(text) > 1000
    assert sorted(set(IDENTIFIER.findall(text))) == []


@pytest.mark.parametrize("name", seldom("toy", "echo_cmr"))
def test_no_table_has_an_empty_column(open_page, name):
    page = open_page(name)
    page.evaluate(UNFOLD)
    empty = page.evaluate("""() => [...document.querySelectorAll('table')].flatMap(table => {
      const rows = [...table.querySelectorAll('tbody tr:not(.model)')];
      const plain = rows.filter(row => row.cells.length === table.tHead.rows[0].cells.length);
      if (plain.length < rows.length || !rows.length) return [];
      return [...table.tHead.rows[0].cells].filter((head, n) =>
        rows.every(row => !row.cells[n].innerText.trim())).map(head => head.innerText);
    })""")
    assert empty == []


@pytest.mark.parametrize("name", seldom("toy"))
def test_figures_are_dark_on_a_dark_page(open_page, name):
    page = open_page(name, scheme="dark")
    drawing = page.locator("#answer figure .drawing:visible, #performance figure .drawing").first
    picture = Image.open(io.BytesIO(drawing.screenshot())).convert("L")
    counts = picture.histogram()
    dark, light = sum(counts[:64]), sum(counts[192:])
    assert dark > 0.7 * picture.width * picture.height
    assert 0 < light < 0.2 * picture.width * picture.height


@pytest.mark.parametrize("name", seldom("toy"))
def test_without_its_script_the_page_says_the_same(open_page, name):
    with_script, without = open_page(name), open_page(name, java_script_enabled=False)
    assert without.locator("button").count() == 0
    with_script.evaluate("for (const one of document.querySelectorAll('.tools')) one.remove()")
    assert with_script.inner_text("main").split() == without.inner_text("main").split()


def downloaded(page, button) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


@pytest.mark.parametrize("name", seldom("toy"))
def test_a_table_is_downloaded_as_it_is_shown(open_page, name):
    page = open_page(name)
    page.evaluate(UNFOLD)
    frame = page.locator("#metrics .table").first
    file, content = downloaded(page, frame.get_by_text("CSV"))
    assert file.endswith(".csv")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0][0] == "Model"
    assert len({len(row) for row in rows}) == 1
    n_lines = frame.locator("tbody tr:not(.model)").count()
    assert len(rows) == 1 + n_lines
    models = frame.locator("tr.model").all_inner_texts()
    assert list(dict.fromkeys(row[0] for row in rows[1:])) == [text.strip() for text in models]


@pytest.mark.parametrize("name", seldom("toy"))
def test_a_table_that_is_cut_is_downloaded_whole(open_page, name):
    page = open_page(name)
    cut = page.locator("[data-of]")
    if not cut.count():
        assert page.locator("#patients tbody tr").count() <= 14
        return
    content = downloaded(page, cut.get_by_text("CSV"))[1].decode("utf-8-sig")
    whole = page.locator("#all-of-table-1 tbody tr").count()
    assert len(list(csv.reader(io.StringIO(content)))) == 1 + whole > 14


@pytest.mark.parametrize("name", seldom("toy"))
def test_a_figure_is_downloaded_light_as_svg_and_png(open_page, name):
    page = open_page(name, scheme="dark")
    figure = page.locator("figure:has(svg)").first
    file, drawing = downloaded(page, figure.get_by_text("SVG"))
    assert file.endswith(".svg")
    assert b'xmlns="http://www.w3.org/2000/svg"' in drawing
    assert b"prefers-color-scheme" not in drawing
    file, content = downloaded(page, figure.get_by_text("PNG"))
    assert file.endswith(".png")
    picture = Image.open(io.BytesIO(content)).convert("L")
    assert picture.width > 1000
    assert sum(picture.histogram()[192:]) > 0.7 * picture.width * picture.height


def test_a_link_to_what_is_folded_unfolds_it(open_page, page_of):
    page = open_page("toy")
    assert not page.locator("#metrics table").first.is_visible()
    page.goto(page_of("toy").as_uri() + "#metrics")
    assert page.locator("#metrics table").first.is_visible()
