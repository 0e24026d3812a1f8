"""The report of a run: what it must say, and what must never get into it."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from PIL import Image

from cardio_core.errors import DataError
from cardio_core.report.build import build_report
from cardio_core.report.figures import ForestRow, forest, save_svg
from cardio_core.testing.limits import HUNG_AFTER_S
from cardio_core.types.estimate import Estimate
from cardio_core.types.report import Metric, Scope

HOSTILE = "<script>alert('x')</script><img src=http://evil.example/a.png onerror=alert(1)>&\""
OVERLAP = "beats are drawn at random, so patients stand on both sides"
CHROMIUM = shutil.which("chromium")

MANIFEST = {
    "status": "done",
    "name": "demo-run",
    "plugin": "ecg_transfer",
    "plugin_version": "0.1.0",
    "core_version": "0.1.0",
    "api": [1, 0],
    "task": "crt_response",
    "task_title": "Response to resynchronisation",
    "command": "cardio run --plugin ecg_transfer",
    "started": "2025-01-01T10:00:00+00:00",
    "finished": "2025-01-01T10:48:37+00:00",
    "data": {"source": "real", "path_shown": "cohort.csv", "n_recordings": 70, "n_patients": 69,
             "n_samples": 1234, "digest": "d1g35t"},
    "device": {"name": "cpu", "reason": "no CUDA device", "precision": "32"},
    "packages": {"numpy": "2.3.1"},
    "seed": 17,
    "models": ["net", "qrs"],
    "model_titles": {"net": "ResNet-18", "qrs": "QRS duration"},
    "stages": {"features": 61.0},
    "needs": [{"task": "aami_beats", "from": "run-7", "said": "of other patients"}],
    "quarantined": [
        {"recording_id": "R1", "hook": "load", "reason": "flat lead"},
        {"recording_id": "R2", "hook": "load", "reason": "flat lead"},
        {"recording_id": "R3", "hook": "preprocess", "reason": "3 s are too short"},
    ],
    "notes": ["202 is left out."],
    "papers": ["He et al. 2023"],
    "outputs": {"metrics.json": "abc123"},
}  # fmt: skip


def metric(name, value, half=0.08, *, p=None, unit="patient", n=71, source=None, **scope):
    limits = (value - half, value + half, 0.95) if half else (None, None, None)
    estimate = Estimate(
        name, value, *limits, "DeLong", n=n, unit=unit, n_patients=70, p_value=p,
        threshold_source=source,
    )  # fmt: skip
    return Metric(estimate, Scope(task="crt_response", target="response", **scope)).to_dict()


METRICS = [
    metric("auc", 0.711, protocol="honest", model="net"),
    metric("sensitivity", 0.622, protocol="honest", model="net", source="inner folds"),
    metric("auc", 0.733, protocol="honest", model="qrs"),
    metric("auc", 0.944, protocol="paper", model="net"),
    metric("sensitivity", 0.855, protocol="paper", model="net", source="fixed 0.5"),
    metric("auc", 0.766, protocol="paper", model="qrs"),
    metric("auc_difference", -0.022, protocol="honest", model="net", versus="qrs", p=0.0),
    metric("auc", 0.777, protocol="honest", model="net", subgroup="sex = F", n=23),
    metric("auc", 0.688, None, protocol="honest", model="net", repeat=0, fold="r0-f0"),
    metric("auc", 0.799, None, protocol="honest", model="net", repeat=0, fold="r0-f1"),
]
SPLITS = {
    "honest": {
        "plan": "nested",
        "unit": "patient",
        "declared_overlap": None,
        "folds": [
            {"name": "r0-f0", "train": ["P1", "P2"], "test": ["P3"]},
            {"name": "r0-f1", "train": ["P3"], "test": ["P1", "P2"]},
        ],
    },
    "paper": {
        "plan": "random_beats",
        "unit": "sample",
        "declared_overlap": OVERLAP,
        "folds": [{"name": "r0-f0", "train": ["A#0", "B#0"], "test": ["A#1", "B#7", "C#0"]}],
    },
}


ONE = METRICS[:1]  # of one model: nothing to draw, so the page is made at once


def writer(place):
    """Return a function that writes a run directory by hand and gives its report's text."""

    def make(manifest=MANIFEST, metrics=METRICS, splits=SPLITS, tables=None, cases=(), figures=()):
        run = place / "run"
        shutil.rmtree(run, ignore_errors=True)
        for folder in ("tables", "figures", "explanations"):
            (run / folder).mkdir(parents=True)
        (run / "manifest.json").write_text(json.dumps(manifest))
        (run / "metrics.json").write_text(json.dumps(metrics))
        (run / "splits.json").write_text(json.dumps({"subjects": [], "protocols": splits}))
        (run / "config.yaml").write_text("train:\n  epochs: 3\n")
        for name, rows in (tables or {}).items():
            with (run / "tables" / name).open("w", newline="") as file:
                csv.writer(file).writerows(rows)
        for name in figures:
            save_svg(forest([ForestRow("V", "honest", 0.8)]), run / "figures" / name)
        for number, case in enumerate(cases):
            (run / f"explanations/{number}.json").write_text(json.dumps(case))
        return build_report(run).read_text(encoding="utf-8")

    return make


@pytest.fixture
def make_run(tmp_path):
    return writer(tmp_path)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The report of the run above."""
    return writer(tmp_path_factory.mktemp("standard"))()


class Page(HTMLParser):
    """Every tag with its attributes, and the text without styles and scripts.

    `part` is the id of the element whose text is wanted; empty is the page.
    """

    def __init__(self, html, part=""):
        super().__init__()
        self.tags, self.pieces, self.inside, self.part = [], [], [], part
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside.append((tag, dict(attrs).get("id")))

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tags, ids = ({one[i] for one in self.inside} for i in (0, 1))
        if not tags & {"style", "script"} and (not self.part or self.part in ids):
            self.pieces.append(data)

    @property
    def text(self):
        return re.sub(r"[ \n\t]+", " ", " ".join(self.pieces)).replace("\u202f", "")

    def ids(self):
        return [attrs["id"] for _, attrs in self.tags if "id" in attrs]


def section(html, name):
    return Page(html, name).text.strip()


def test_every_metric_is_there_with_its_interval_n_and_method(html):
    text = Page(html).text
    for row in METRICS:
        shown = f"{abs(row['value']):.3f}"
        assert shown in text, row
        if row["low"] is not None and row["fold"] is None:
            assert f"{abs(row['low']):.3f} to" in text, row
    assert "71 patients" in text
    assert "DeLong; threshold: inner folds" in text
    assert "DeLong; threshold: fixed 0.5" in text
    assert "95 % CI" in text


def test_honest_and_paper_stand_side_by_side_with_their_difference(html):
    row = next(r for r in re.findall(r"<tr.*?</tr>", html, re.DOTALL) if ">0.711<" in r)
    assert ">0.944<" in row
    assert "+0.233" in row
    assert html.index(">0.711<") < html.index(">0.944<")


def test_a_metric_that_stands_twice_is_shown_twice(make_run):
    twice = [
        *METRICS,
        metric("sensitivity", 0.511, protocol="honest", model="net", source="Youden"),
    ]
    results = section(make_run(metrics=twice), "metrics")
    assert "0.622" in results
    assert "0.511" in results


def test_the_answer_stands_first_with_the_declared_model_and_not_the_best(make_run):
    html = make_run(manifest=MANIFEST | {"primary": "net", "baselines": ["qrs"]})
    found = section(html, "answer")
    assert re.search(r"ResNet-18.*0\.711.*0\.631 to 0\.791", found)
    assert found.index("ResNet-18") < found.index("QRS duration")
    assert html.index('id="answer"') < html.index('id="metrics"')


def test_without_the_honest_protocol_nothing_is_claimed(make_run):
    paper = [row for row in METRICS if row["protocol"] == "paper"]
    text = Page(make_run(metrics=paper)).text
    assert "The honest protocol did not run" in text
    assert "Under the honest protocol" not in text


def test_the_paper_protocol_is_stamped_optimistic_with_the_declared_reason(make_run):
    html = make_run(tables={"paper-a.csv": [["x"], ["1"]]}, figures=["paper-roc.svg"])
    assert OVERLAP in section(html, "answer")
    for name in ("answer", "performance", "metrics", "tables", "splits"):
        assert "optimistic" in section(html, name), name


def test_an_honest_run_alone_carries_no_stamp_and_no_empty_columns(make_run):
    honest = [row for row in METRICS if row["protocol"] == "honest"]
    html = make_run(metrics=honest, splits={"honest": SPLITS["honest"]})
    assert "optimistic" not in Page(html).text
    assert "Difference" not in section(html, "metrics")


@pytest.mark.parametrize(("source", "banner"), [("synthetic", True), ("real", False)])
def test_synthetic_data_are_announced_before_anything_else(make_run, source, banner):
    html = make_run(
        metrics=ONE, manifest=MANIFEST | {"data": MANIFEST["data"] | {"source": source}}
    )
    assert ('id="synthetic"' in html) is banner
    assert f"{source} data" in Page(html).text
    if banner:
        assert html.index("Synthetic data.") < html.index("<h1>")


def test_a_run_that_failed_says_so_with_its_error(make_run):
    html = make_run(metrics=ONE, manifest=MANIFEST | {"status": "failed", "error": "out of memory"})
    text = Page(html).text
    assert "Not finished." in text
    assert "out of memory" in text
    assert "Not finished." not in Page(make_run(metrics=ONE)).text


def test_no_p_value_is_printed_as_zero_or_one(make_run):
    tables = {"honest-uni.csv": [["term", "p_value"], ["qrs", "0.00002"], ["age", "0.99999"]]}
    html = make_run(tables=tables)
    assert "<0.001" in section(html, "comparisons")
    found = section(html, "tables")
    assert "<0.001" in found
    assert ">0.999" in found
    assert "0.000" not in found


def test_comparisons_name_both_models_and_keep_the_sign(html):
    found = section(html, "comparisons")
    assert "ResNet-18 QRS duration AUC, difference, response −0.022 (−0.102 to 0.058)" in found


def test_pairs_without_the_first_declared_model_are_folded_away(make_run):
    pair = next(row for row in METRICS if row.get("versus"))
    names = ("first", "second", "third")
    pairs = [("first", "second"), ("first", "third"), ("second", "third")]
    rows = [pair | {"model": one, "versus": other} for one, other in pairs]
    html = make_run(metrics=rows, manifest=MANIFEST | {"models": list(names), "model_titles": {}})
    shown, folded = section(html, "comparisons").split("The other pair")
    assert "First Second" in shown
    assert "First Third" in shown
    assert "Second Third" not in shown
    assert "Second Third" in folded


def test_subgroups_stand_apart_from_the_main_table(html):
    assert "0.777" in section(html, "subgroups")
    assert "sex = F" in section(html, "subgroups")
    assert "0.777" not in section(html, "metrics")


def test_folds_have_a_column_each_their_mean_and_their_spread(html):
    found = section(html, "folds")
    # (0.688 + 0.799) / 2 = 0.7435; SD = 0.111 / sqrt(2) = 0.0785.
    assert "Fold 1 Fold 2 Mean SD" in found
    assert re.search(r"0\.688 0\.799 0\.74[34] 0\.078", found)


def test_flags_of_recordings_that_were_used_are_counted(make_run):
    found = section(make_run(metrics=ONE, manifest=MANIFEST | {"flags": {"6 slots": 4}}), "data")
    assert "What was flagged in recordings that were used" in found
    assert "6 slots 4" in found
    assert "flagged" not in section(make_run(metrics=ONE), "data")


def test_the_overlap_of_every_fold_is_counted_again(make_run):
    leaky = {"honest": SPLITS["honest"] | {
        "folds": [{"name": "r0-f0", "train": ["P1", "P2"], "test": ["P2", "P3"]}]}}  # fmt: skip
    assert "fold 1 2 2 1" in section(make_run(metrics=ONE, splits=leaky), "splits")
    found = section(make_run(metrics=ONE), "splits")
    assert "fold 1 2 1 0 fold 2 1 2 0" in found
    # Samples A#0 | A#1 and B#0 | B#7 share their recordings, C#0 does not.
    assert "Recordings on both sides fold 1 2 3 2" in found


def test_quarantined_recordings_are_counted_by_reason_and_listed(make_run):
    found = section(make_run(metrics=ONE), "data")
    assert "3 recordings were set aside" in found
    assert "flat lead reading 2 3 s are too short preparing 1" in found
    assert all(name in found for name in ("R1", "R2", "R3"))
    empty = section(make_run(metrics=ONE, manifest=MANIFEST | {"quarantined": []}), "data")
    assert "No recording was set aside" in empty


def test_the_page_says_how_to_run_it_again_and_with_what(html):
    found = section(html, "reproduce")
    for expected in ("cardio run --plugin ecg_transfer", "numpy 2.3.1", "abc123", "epochs: 3",
                     "Seed 17", "1.0", "1 min 1 s", "He et al. 2023"):  # fmt: skip
        assert expected in found, expected
    assert "took 48 min 37 s" in found
    assert "cpu (no CUDA device), precision 32" in found
    notes = section(html, "notes")
    assert "202 is left out." in notes
    assert "Needed aami beats, taken from run-7: of other patients" in notes


def test_long_tables_are_folded_cut_and_say_so(make_run):
    rows = [["name", "n"], *([f"row {i}", str(i * 1000)] for i in range(100))]
    html = make_run(metrics=ONE, tables={"honest-cost.csv": rows, "short.csv": [["a"], ["b"]]})
    found = section(html, "tables")
    assert "Row 59" in found
    assert "Row 60" not in found
    assert "The first 60 of 100 rows." in found
    assert "tables/honest-cost.csv" in found
    assert "Cost, honest 100 rows" in found


def test_tables_align_numbers_and_leave_text_alone(make_run):
    rows = [
        ["id", "value", "note"],
        ["007a", "-1234.5678", "1"],
        ["9", "0.00012", "x"],
        ["8", "", ""],
    ]
    html = make_run(metrics=ONE, tables={"t.csv": rows})
    assert '<th scope="row">007a</th><td class="n"><data value="-1234.5678">' in html
    assert ">−1\u202f234.6</data></td><td>1</td>" in html
    assert '<td class="n">0.00012</td><td>x</td>' in html
    assert '<th scope="row">8</th><td class="n"></td><td></td>' in html


def test_identifiers_are_names_even_where_all_of_them_are_digits(make_run):
    rows = [["recording_id", "n"], ["1234", "1234"]]
    html = make_run(metrics=ONE, tables={"t.csv": rows})
    shown = '<th scope="row">1234</th><td class="n"><data value="1234">1\u202f234</data></td>'
    assert shown in html


def test_what_is_the_same_in_every_row_is_said_once_and_empty_columns_are_gone(make_run):
    rows = [
        ["model", "auc", "low", "high", "n_patients", "why"],
        ["net", "0.8", "0.7", "0.9", "71", ""],
        ["qrs", "0.6", "0.5", "0.7", "71", ""],
    ]
    found = section(make_run(metrics=ONE, tables={"t.csv": rows}), "tables")
    assert "Patients: 71 Model AUC (95 % CI) ResNet-18 0.800 (0.700 to 0.900) QRS" in found
    assert found.count("71") == 1


def test_identifiers_of_code_become_words(make_run):
    rows = [["variable", "lvesv_bl_ml"], ["ae_07", "1.5"], ["psd_deg", "2.5"]]
    manifest = MANIFEST | {"words": {"psd_deg": "spread of the phase (°)"}}
    note = "net, r0-f0: psd_deg is flat; see train.epochs and tables/t.csv"
    html = make_run(metrics=ONE, manifest=manifest | {"notes": [note]}, tables={"t.csv": rows})
    found = section(html, "tables")
    assert "Variable LV end-systolic volume (mL)" in found
    assert "Autoencoder feature 07" in found
    assert "Spread of the phase (°)" in found
    notes = section(html, "notes")
    assert "ResNet-18, fold 1: spread of the phase (°) is flat; see train.epochs" in notes
    assert "<code>train.epochs</code>" in html


def test_what_a_paper_printed_stands_beside_its_own_outcome_alone(make_run):
    tables = {
        "published-areas.csv": [["model", "auc"], ["theirs", "0.87654"]],
        "honest-table-2.csv": [["row", "source", "paper_auc"],
                               ["Net", "this run", "0.811"], ["Theirs", "He et al.", "0.822"]],
    }  # fmt: skip
    synthetic = {**MANIFEST, "data": MANIFEST["data"] | {"source": "synthetic"}}
    for manifest, shown in (
        (synthetic | {"outcome_column": None}, True),
        (synthetic | {"outcome_column": "responder"}, False),
        (MANIFEST, False),
    ):
        html = make_run(metrics=ONE, manifest=manifest, tables=tables)
        for printed in ("0.877", "0.822", "0.811"):
            assert (printed in html) is shown, (printed, shown)
        assert "Net" in section(html, "tables")


def test_an_explained_case_shows_its_picture_and_scores(make_run):
    case = {"sample_id": "200#5", "title": "V beat, called N", "model": "net", "protocol": "honest",
            "fold": "r0-f0", "scores": {"energy_in_qrs": 0.6125},
            "figure": "figures/case.svg"}  # fmt: skip
    html = make_run(metrics=ONE, cases=[case], figures=["case.svg"])
    found = section(html, "explanations")
    assert "V beat, called N" in found
    assert "ResNet-18, honest, fold 1" in found
    assert "figures/case.svg" not in found
    assert 'id="case-case-root"' in html
    other = {key: value for key, value in case.items() if key != "figure"}
    assert "Energy in QRS 0.61" in section(make_run(metrics=ONE, cases=[other]), "cases")


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
    save_svg(forest([ForestRow("outside", "", 0.5)]), tmp_path / "secret.svg")
    html = make_run(metrics=ONE, cases=[{"sample_id": "a", "figure": "../secret.svg"}])
    assert "the figure lies outside the run" in Page(html).text
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
            return {key: poison(one) for key, one in value.items()}
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


def assert_fetches_nothing(page):
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action", "data", "poster"):
            value = attrs.get(name) or ""
            assert value.startswith(("#", "data:image/", "data:video/webm;")) or not value, (
                tag,
                name,
                value,
            )
        assert not re.search(r"url\((?!#)", attrs.get("style") or "")


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


def test_a_manifest_alone_makes_a_report(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    text = Page(build_report(tmp_path).read_text()).text
    assert "No metric was computed." in text
    assert "Not finished." in text
    assert "origin of the data not recorded" in text


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
    with pytest.raises(DataError, match=r"no manifest\.json"):
        build_report(tmp_path)


@pytest.mark.parametrize("content", ["{", "[1]", "\xff"])
def test_a_broken_file_is_named(make_run, tmp_path, content):
    make_run(metrics=ONE)
    (tmp_path / "run/splits.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=r"^splits\.json: "):
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


def test_what_the_outcome_is_stands_on_the_page(make_run):
    said = "the superclass CD, which stands in for response."
    text = Page(make_run(metrics=ONE, manifest=MANIFEST | {"outcome": said})).text
    assert f"Outcome: {said}" in text
