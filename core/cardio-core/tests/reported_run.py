"""A run as its report finds it: a manifest, metrics and splits, and the page read again."""

from __future__ import annotations

import csv
import json
import re
import shutil
from html.parser import HTMLParser

from cardio_core.report.page import build_report
from cardio_core.types.report import Metric, Scope
from cardio_stats.estimate import Estimate
from cardio_stats.figures import ForestLine, estimate_forest, save_svg

HOSTILE = "<script>alert('x')</script><img src=http://evil.example/a.png onerror=alert(1)>&\""


OVERLAP = "beats are drawn at random, so patients stand on both sides"


CHROMIUM = shutil.which("chromium")


MANIFEST = {
    "status": "done",
    "name": "demo-run",
    "plugin": "ecg_transfer",
    "plugin_version": "0.1.0",
    "core_version": "0.1.0",
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
    "needs": [{"task": "aami_beats", "from": "run-7", "text": "of other patients"}],
    "quarantined": [
        {"recording_id": "R1", "hook": "load", "reason": "flat lead"},
        {"recording_id": "R2", "hook": "load", "reason": "flat lead"},
        {"recording_id": "R3", "hook": "preprocess", "reason": "3 s are too short"},
    ],
    "notes": [{"kind": "cohort", "text": "202 is left out."}],
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


def entry_of(file):
    """What a manifest says of a table or figure; here its file has protocol and name."""
    protocol, dash, name = file.rpartition(".")[0].partition("-")
    of_one = bool(dash) and protocol in ("honest", "paper")
    name = name if of_one else file.rpartition(".")[0]
    return {"name": name, "protocol": protocol if of_one else "",
            "published": name.startswith("published")}  # fmt: skip


def writer(place):
    """Return a function that writes a run directory by hand and gives its report's text."""

    def make(manifest=MANIFEST, metrics=METRICS, splits=SPLITS, tables=None, cases=(), figures=()):
        run = place / "run"
        shutil.rmtree(run, ignore_errors=True)
        for folder in ("tables", "figures", "explanations"):
            (run / folder).mkdir(parents=True)
        shown = {f"{folder}/{name}": entry_of(name)
                 for folder, names in (("tables", tables or {}), ("figures", figures))
                 for name in names}  # fmt: skip
        (run / "manifest.json").write_text(json.dumps({"shown": shown, **manifest}))
        (run / "metrics.json").write_text(json.dumps(metrics))
        (run / "splits.json").write_text(json.dumps({"subjects": [], "protocols": splits}))
        (run / "config.yaml").write_text("train:\n  epochs: 3\n")
        for name, rows in (tables or {}).items():
            with (run / "tables" / name).open("w", newline="") as file:
                csv.writer(file).writerows(rows)
        for name in figures:
            save_svg(estimate_forest([ForestLine("V", 0.8)], x="AUC"), run / "figures" / name)
        for number, case in enumerate(cases):
            (run / f"explanations/{number}.json").write_text(json.dumps(case))
        return build_report(run).read_text(encoding="utf-8")

    return make


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
