"""What must never get into a report, and what a report makes of damaged runs."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess

import pytest
from PIL import Image

from cardio_core.report.page import build_report
from cardio_core.testing import refuses
from cardio_core.testing.searching import HUNG_AFTER_S
from cardio_stats.errors import DataError
from cardio_stats.figures import ForestLine, estimate_forest, save_svg

from .reported_run import (
    CHROMIUM,
    HOSTILE,
    MANIFEST,
    METRICS,
    ONE,
    SPLITS,
    Page,
    assert_fetches_nothing,
    section,
    writer,
)


@pytest.fixture
def make_run(tmp_path):
    return writer(tmp_path)


WEBM = bytes.fromhex("1a45dfa3") + b"the rest of a video"


def test_a_small_video_of_a_case_stands_in_the_page_itself(make_run, tmp_path):
    case = {"sample_id": "a", "title": "surest for", "video": "explanations/a.webm"}
    make_run(metrics=ONE, cases=[case])
    (tmp_path / "run/explanations/a.webm").write_bytes(WEBM)
    page = Page(build_report(tmp_path / "run").read_text())
    videos = [attrs for tag, attrs in page.tags if tag == "video"]
    assert [v["aria-label"] for v in videos] == ["Surest for"]
    kind, _, code = videos[0]["src"].partition(",")
    assert kind == "data:video/webm;base64"
    assert base64.b64decode(code) == WEBM
    # Without leave from the page's own policy a browser would show an empty box.
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv"))
    assert "media-src data:" in policy


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("large.webm", WEBM.ljust(300_001, b"x"), "300 kB, not put into this page"),
        ("page.webm", b"<html>", "no WebM file"),
        ("absent.webm", None, "the file cannot be read"),
        ("../../secret.webm", WEBM, "the video lies outside the run"),
    ],
)
def test_a_video_that_is_no_small_webm_of_the_run_is_named_and_left_out(
    make_run, tmp_path, name, content, why
):
    make_run(metrics=ONE, cases=[{"sample_id": "a", "video": f"explanations/{name}"}])
    if content is not None:
        (tmp_path / "run/explanations" / name).write_bytes(content)
    page = Page(build_report(tmp_path / "run").read_text())
    assert why in page.text
    assert "video" not in {tag for tag, _ in page.tags}


def test_a_figure_outside_the_run_is_not_read(make_run, tmp_path):
    save_svg(estimate_forest([ForestLine("outside", 0.5)], x="AUC"), tmp_path / "secret.svg")
    html = make_run(metrics=ONE, cases=[{"sample_id": "a", "figure": "../secret.svg"}])
    assert ">outside<" not in html


def test_a_figure_that_cannot_be_read_leaves_its_reason_and_the_rest_of_the_page(
    make_run, tmp_path
):
    make_run(metrics=ONE)
    (tmp_path / "run/figures/broken.svg").write_text("<svg")
    html = build_report(tmp_path / "run").read_text()
    assert "no valid SVG" in section(html, "figures")
    assert "How to reproduce" in html


def test_hostile_text_is_text_wherever_it_comes_from(make_run, tmp_path):
    def poison(value):
        if isinstance(value, dict):
            return {key: one if key == "kind" else poison(one) for key, one in value.items()}
        if isinstance(value, list):
            return [poison(one) for one in value]
        return value + HOSTILE if isinstance(value, str) and value != "done" else value

    scoped = {"protocol", "model", "versus", "class_name", "subgroup", "name", "method", "unit",
              "threshold_source", "note", "target"}  # fmt: skip
    metrics = [
        row | {key: str(row[key] or "") + HOSTILE for key in scoped} | {"fold": fold}
        for row in METRICS[:2]
        for fold in (None, "f" + HOSTILE)
    ]
    make_run(
        manifest=poison(MANIFEST),
        metrics=[*METRICS, *metrics],
        splits=poison(SPLITS),
        tables={"honest-<img src=x onerror=alert(1)>.csv": [[HOSTILE, "n"], [HOSTILE, "1"]]},
        cases=[poison({"sample_id": "a", "title": "t", "model": "m", "scores": {HOSTILE: 0.5}})],
    )
    (tmp_path / "run/config.yaml").write_text(f"a: {HOSTILE}\n")
    (tmp_path / "run/figures/a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><text>t</text></svg>'
    )
    page = Page(build_report(tmp_path / "run").read_text())
    tags = {tag for tag, _ in page.tags}
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not tags & {"img", "iframe", "object", "embed", "link", "base", "form"}
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert "alert('x')" in page.text
    assert_fetches_nothing(page)


def test_the_page_fetches_nothing_and_runs_no_script_but_its_own(make_run):
    html = make_run(figures=["honest-roc.svg"])
    page = Page(html)
    assert_fetches_nothing(page)
    style = "".join(re.findall(r"<style.*?</style>", html, re.DOTALL))
    assert "@import" not in style
    assert not re.search(r"url\((?!#)", style)
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv"))
    assert "default-src 'none'" in policy
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert not re.search(r"fetch|XMLHttpRequest|WebSocket|innerHTML|eval", script)


def test_ids_are_unique_and_every_inner_link_leads_somewhere(make_run):
    # Two files of the same drawing carry the same ids.
    case = {"sample_id": "a", "figure": "figures/honest-roc.svg"}
    html = make_run(figures=["honest-roc.svg", "paper-roc.svg", "other.svg"], cases=[case])
    page = Page(html)
    ids = page.ids()
    assert len(ids) > 50
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for _, attrs in page.tags if attrs.get("href")]
    links += [f"#{name}" for name in re.findall(r"url\(#([^)]+)\)", html)]
    assert {link[1:] for link in links} <= set(ids)
    assert {"#answer", "#performance", "#reproduce"} <= set(links)


def test_honest_and_paper_versions_of_a_figure_stand_under_one_heading(make_run):
    html = make_run(figures=["paper-scree-net.svg", "honest-scree-net.svg"])
    figures = section(html, "figures")
    assert "Further figures 2" in figures
    assert figures.index("Scree: ResNet-18, honest.") < figures.index("Scree: ResNet-18, paper.")


def test_a_manifest_alone_makes_a_report(tmp_path, same_text):
    (tmp_path / "manifest.json").write_text("{}")
    same_text("page_of_a_manifest_alone", build_report(tmp_path).read_text())


@pytest.mark.parametrize("missing", ["metrics.json", "splits.json", "config.yaml", "tables"])
def test_a_missing_file_leaves_the_rest(make_run, tmp_path, missing):
    make_run(metrics=ONE, tables={"t.csv": [["a"], ["b"]]})
    path = tmp_path / "run" / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert "How to reproduce" in build_report(tmp_path / "run").read_text()


@pytest.mark.parametrize("key", sorted(MANIFEST))
def test_a_missing_key_of_the_manifest_leaves_the_rest(make_run, key):
    html = make_run({k: v for k, v in MANIFEST.items() if k != key}, ONE)
    assert "0.711" in html
    assert "None" not in Page(html).text


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with refuses(DataError, "manifest.json", code="missing"):
        build_report(tmp_path)


@pytest.mark.parametrize("content", ["{", "[1]", "\xff"])
def test_a_broken_file_is_named(make_run, tmp_path, content):
    make_run(metrics=ONE)
    (tmp_path / "run/splits.json").write_bytes(content.encode("latin-1"))
    with refuses(DataError, "splits.json", code="damaged"):
        build_report(tmp_path / "run")


def test_equal_files_give_an_equal_report_and_leave_nothing_behind(make_run, tmp_path):
    first = make_run(figures=["a.svg"])
    before = {path.name for path in (tmp_path / "run").iterdir()}
    assert build_report(tmp_path / "run").read_text() == first
    assert {path.name for path in (tmp_path / "run").iterdir()} == before


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: the report is not drawn")
def test_a_browser_draws_the_report(make_run, tmp_path):
    make_run(figures=["honest-roc.svg"], tables={"t.csv": [["a", "n"], ["b", "1"]]})
    shot = tmp_path / "shot.png"
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        "--hide-scrollbars --window-size=1200,2400"
    )
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    page = (tmp_path / "run/report.html").as_uri()
    subprocess.run(
        [CHROMIUM, *flags.split(), profile, f"--screenshot={shot}", page],
        check=True,
        capture_output=True,
        timeout=HUNG_AFTER_S,
    )
    picture = Image.open(shot).convert("RGB")
    assert picture.size == (1200, 2400)
    colours = {colour: n for n, colour in picture.getcolors(1 << 24)}
    # Paper, the rule of the answer, and the stamp of the other, as the style sheet has them.
    assert colours[254, 254, 254] > 0.7 * 1200 * 2400
    assert colours[0x00, 0x59, 0x8C] > 200
    assert colours[0x8A, 0x4A, 0x00] > 50
    # Nothing runs out of the page on the right.
    assert picture.crop((1185, 0, 1200, 2400)).getcolors() == [(15 * 2400, (254, 254, 254))]
