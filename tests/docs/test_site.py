"""The site's reference is made from the code, and what pages say of settings is true of it."""

from __future__ import annotations

import json
import re
import sys
import zipfile
from pathlib import Path

import click
import pytest

import cardio_stats as stats
import cardio_ultrasound as ultrasound
from cardio_core import api
from cardio_core.io.cohort_columns import COLUMNS
from cardio_core.registry import open_plugin
from cardio_core.registry.settings import setting_words, settings_of, usual_lines
from cardio_core.report.results import bare_name
from cardio_core.report.terms import MEANINGS
from cardio_core.testing import call_cardio, every_command
from cardio_stats import forensics
from cardio_stats.cli.lazy import registered
from cardio_stats.words import METRICS

from .test_commands import PAGES, ROOT

PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir() if path.is_dir())
STORED_RUNS = ROOT / "tests" / "integration" / "pages" / "stored"
HEADS = "load|preprocess|featurize|train|predict|explain|evaluate|inner|protocols|limits|needs"
SETTING = re.compile(rf"(?<![\w./-])((?:{HEADS})(?:\.[A-Za-z_0-9]+)+)(?=[=`\s,;)\]]|$)")

MEASURED = re.compile(r"\b(days|pixels?|SD|mm)\b")
"""Words of a meaning that say its value is measured in something; the unit says in what."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        # Other tests of this process may have installed plugins of their own.
        patch.setenv("CARDIO_PLUGINS", ",".join(PLUGINS))
        from _site import made

        made.write(folder, ROOT)
    return folder


@pytest.fixture(scope="module")
def known():
    infos = [open_plugin(name).info for name in PLUGINS]
    return {
        info.name: {one.path: one for task in info.tasks for one in settings_of(info, task)}
        for info in infos
    }


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_setting_stands_in_the_reference_with_what_it_does(made, known, plugin):
    page = (made / f"reference/settings/{plugin}.md").read_text(encoding="utf-8")
    assert [path for path in known[plugin] if f"`{path}`\n: " not in page] == []
    assert [path for path, one in known[plugin].items() if len(one.meaning) < 4] == []
    bare = [path for path, one in known[plugin].items()
            if "number" in one.takes and MEASURED.search(one.meaning) and not one.unit]  # fmt: skip
    assert bare == []


def test_the_words_that_ask_for_a_unit_are_found():
    assert MEASURED.search("most days between two") and MEASURED.search("from -size to +size SD")
    assert not MEASURED.search("corrected to mmHg") and not MEASURED.search("SDs of nothing")


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_command_and_the_reference_say_the_same_of_a_setting(made, known, plugin):
    page = (made / f"reference/settings/{plugin}.md").read_text(encoding="utf-8")
    for task in open_plugin(plugin).info.tasks:
        said = call_cardio("plugins", "info", plugin, "--task", task.name, "--settings").stdout
        said = " ".join(said.split())
        for one in settings_of(open_plugin(plugin).info, task):
            assert f"`{one.path}`\n: {setting_words(one)} Default: " in page
            assert f" {setting_words(one)}" in said
            for line in usual_lines(one):
                assert f"  - `{line}`\n" in page
                assert line in said
    assert "{...}" not in said and "TASK" not in said


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_command_and_the_reference_say_the_same_of_a_column(made, plugin):
    page = (made / "reference/columns.md").read_text(encoding="utf-8")
    for task in open_plugin(plugin).info.tasks:
        words = ("plugins", "info", plugin, "--task", task.name, "--columns")
        part = page.partition(f"\n## {plugin}, {task.name}\n")[2].partition("\n## ")[0]
        part = re.sub(r"\[(`[^\]]+)\]\(#[^)]*\)", r"\1", part)  # links to the meaning
        rows = call_cardio(*words, "--json").json["columns"]
        said = " ".join(call_cardio(*words).stdout.split())
        assert rows
        for row in rows:
            name, holds, means, why = (row[k] for k in ("name", "holds", "meaning", "read_for"))
            assert means
            assert f"{name} {holds}. {means.rstrip('.')}. Read for: {why}." in said
            if re.search(r"_seg_\d\d$", name):  # one row for all seventeen
                continue
            assert f"| `{name}` | {means} | {why} |" in part
            if name in COLUMNS:
                assert f"| [`{name}`]{{#column-{name.lower()}}} | {holds} | {means} | " in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_a_page_names_is_one(known, page):
    parts = page.relative_to(ROOT).parts
    plugins = [parts[1]] if parts[0] == "plugins" else PLUGINS
    paths = {path for plugin in plugins for path in known[plugin]}
    blocks = {path.rpartition(".")[0] for path in paths} | {"train.fit"}
    # What a terminal printed may be of the tests' own plugin.
    text = re.sub(r"```text\n.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = set(SETTING.findall(text))
    unknown = sorted(
        path
        for path in named
        if path not in paths
        and path not in blocks
        and not path.startswith(("needs.", "protocols."))
        and not path.endswith((".py", ".csv", ".json", ".md"))
    )
    assert unknown == []


def test_a_column_that_a_task_reads_leads_to_its_meaning_and_segments_share_a_row(made):
    page = (made / "reference/columns.md").read_text(encoding="utf-8")
    told = set(re.findall(r"\{#(column-\w+)\}", page))
    linked = set(re.findall(r"\(#(column-\w+)\)", page))
    assert {"column-age_y", "column-wma_seg_01"} <= linked <= told
    assert {one.lower() for one in COLUMNS} - {one.removeprefix("column-") for one in told} == {
        f"{kind}_seg_{n:02d}" for kind in ("wma", "lge") for n in range(2, 18)
    }
    tasks = page.split("\n## ")[1:]
    assert [line for task in tasks for line in task.splitlines() if line.startswith("| `")] == [
        line for task in tasks for line in task.splitlines() if line.startswith("| `x_")
    ]
    assert "[`wma_seg_01` ... `wma_seg_17`]{#column-wma_seg_01}" in page
    assert "wma_seg_02" not in page and "segments 1 to 17 of the AHA model" in page


def test_every_command_stands_in_the_reference_with_its_examples(made):
    page = (made / "reference/commands.md").read_text(encoding="utf-8")
    for words, examples in registered().examples.items():
        assert f"# cardio {words}\n" in page or not words
        for typed, _ in examples:
            assert f"\n{' '.join(filter(None, ('cardio', words, typed)))}\n" in page


def test_every_option_of_every_command_says_what_it_does():
    wordless = [
        f"{words} {option.opts[0]}"
        for words, command in every_command().items()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert wordless == []


def test_every_page_is_in_the_contents():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([\w/*]+)$", index, re.MULTILINE))
    pages = [page.relative_to(ROOT / "docs").with_suffix("") for page in PAGES if "docs" in
             page.relative_to(ROOT).parts[:1]]  # fmt: skip
    out = [str(page) for page in pages if str(page) not in listed
           and f"{page.parent}/*" not in listed and str(page) != "index"]  # fmt: skip
    assert out == []


def test_every_metric_that_a_page_names_says_what_it_means():
    assert set(MEANINGS) == set(METRICS)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_metric_of_a_stored_run_stands_in_the_reference(made, plugin):
    """A new name has to be explained; the runs are those of tests/integration/pages."""
    page = (made / "reference/metrics.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]{15,} \|$", page, re.MULTILINE))
    with zipfile.ZipFile(STORED_RUNS / f"{plugin}.zip") as archive:
        names = {
            bare_name(row["name"], row.get("class_name"))
            for row in json.loads(archive.read("metrics.json"))
        }
    assert len(names) > 10
    assert names - explained == set()
    # What the smallest runs are too small for, and other commands write.
    assert {"interval_half_width", "accuracy_difference", "auc_change"} <= explained


def test_every_public_name_stands_in_the_reference(made):
    for module, name in (
        (api, "api"),
        (stats, "stats"),
        (forensics, "forensics"),
        (ultrasound, "ultrasound"),
    ):
        page = (made / f"reference/{name}.md").read_text(encoding="utf-8")
        missing = [one for one in module.__all__ if not re.search(rf"(\.|`){one}\b", page)]
        assert missing == []


def test_the_module_that_the_api_lends_has_a_section_with_its_functions_and_palette(made):
    page = (made / "reference/api.md").read_text(encoding="utf-8")
    assert "[`canvas`](#canvas)" in page
    section = page.split("\n## canvas\n")[1]
    for name in ("described", "quiet_axes", "bare_axes", "fixed", "write_rows"):
        assert f".. autofunction:: cardio_core.api::canvas.{name}\n" in section
    assert "themed" not in section and "rc_context" not in section
    for name in ("BLUE", "VERMILION", "SKY"):
        assert f"`{name}` <span" in section and getattr(api.canvas, name) in section


def test_every_stale_record_is_listed_on_the_site(made):
    page = (made / "reference/measured.md").read_text(encoding="utf-8")
    stored = sorted((ROOT / "docs/results/stored").rglob("*.json"))
    raw = [json.loads(file.read_text(encoding="utf-8")) for file in stored]
    stale = [one for one in raw if {"stale", "newer"} & set(one)]
    assert f"{len(stored)} records" in page and f"{len(stale)} of them are stale" in page
    assert page.count("**stale**") == len(stale)


def test_links_lead_to_where_the_site_shows_a_page(made):
    sys.path.insert(0, str(Path(ROOT / "docs")))
    try:
        from pathlib import PurePosixPath

        from _site.links import for_site
    finally:
        sys.path.remove(str(ROOT / "docs"))
    here = PurePosixPath("plugins/spect_polar/README.md")
    there = PurePosixPath("docs/plugins/spect_polar.md")
    text = "[a](../../docs/cohort.md#b) [c](src/x.py) [d](../../core/cardio-stats/tests/oracles) [e](https://f)"
    shown = for_site(text, ROOT, here, there)
    assert "[a](../cohort.md#b)" in shown
    assert "`plugins/spect_polar/src/x.py`" in shown
    assert "d (`core/cardio-stats/tests/oracles`)" in shown
    assert "[e](https://f)" in shown
