"""Names of files that come from data: safe on every file system, and never outside their folder."""

from __future__ import annotations

import copy
import hashlib
import os
from pathlib import Path

import pytest
from mypy import api as mypy

import cardio_core
import cardio_stats
from cardio_core.types.artifact import ModelArtifact
from cardio_stats.errors import DataError
from cardio_stats.files import SafeName, file_in

from .hostile import HOSTILE, is_safe


def test_two_hundred_hostile_names_become_safe_ones_that_differ() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 200
    for suffix in ("", ".svg"):
        made = [SafeName(text, suffix) for text in HOSTILE]
        assert [name for name in made if not is_safe(name) or not name.endswith(suffix)] == []
        assert len(set(map(str.lower, made))) == len(HOSTILE)


@pytest.mark.parametrize("prefix", ["", "honest-roc-", "forest-"])
def test_no_hostile_name_leaves_its_folder(prefix: str, tmp_path: Path) -> None:
    for text in HOSTILE:
        path = file_in(tmp_path, "figures", SafeName(prefix + text, ".svg"))
        path.write_text("", encoding="utf-8")
        assert path.resolve().parent == (tmp_path / "figures").resolve()
    assert len(list((tmp_path / "figures").iterdir())) == len(HOSTILE)
    assert list(tmp_path.iterdir()) == [tmp_path / "figures"]


@pytest.mark.parametrize(
    "name",
    ["honest-roc-outcome", "forest-LVEF_pct-narrow", "p.pred.b", "7", "-", "x" * 76, "console",
     "COM10", "patient-20240101"],
)  # fmt: skip
def test_a_name_that_is_safe_stays(name: str) -> None:
    assert SafeName(name, ".svg") == f"{name}.svg"
    assert SafeName(SafeName(name)) == name


def test_a_changed_name_ends_in_the_digits_of_what_it_was() -> None:
    digits = hashlib.sha256(b"../ESC").hexdigest()[:8]
    assert SafeName("../ESC", ".svg") == f"ESC-{digits}.svg"


def test_names_that_differ_only_in_case_differ_in_more() -> None:
    made = SafeName.of_all(["A1", "a1", "b"], ".png")
    assert made["b"] == "b.png"
    assert made["A1"].lower() != made["a1"].lower()


def test_a_copy_of_a_name_is_that_name() -> None:
    again = copy.copy(SafeName("../ESC", ".svg"))
    assert (again, type(again)) == (SafeName("../ESC", ".svg"), SafeName)


def test_an_ending_that_leads_elsewhere_is_a_mistake_of_code() -> None:
    with pytest.raises(ValueError, match="ending"):
        SafeName("a", "/../../b.svg")


def test_a_folder_that_is_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    out, away = tmp_path / "out", tmp_path / "away"
    out.mkdir(), away.mkdir()
    (out / "figures").symlink_to(away)
    with pytest.raises(DataError):
        file_in(out, "figures", SafeName("a", ".svg"))
    assert list(away.iterdir()) == []


@pytest.mark.parametrize("name", ["../ESC.json", "/var/ESC.json", "a/../../ESC.json", "."])
def test_a_model_writes_nothing_outside_its_folder(name: str, tmp_path: Path) -> None:
    artifact = ModelArtifact(tmp_path / "artifact")
    artifact.path.mkdir()
    with pytest.raises(DataError):
        artifact.write_json(name, {})
    with pytest.raises(DataError):
        artifact.save_estimator({}, name)
    assert list(tmp_path.rglob("*")) == [artifact.path]


@pytest.mark.slow  # that a type checker checks
def test_mypy_refuses_a_text_where_a_safe_name_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(
        "from pathlib import Path\n"
        "from cardio_stats.files import SafeName, file_in\n"
        "def write(out: Path, column: str) -> Path:\n"
        "    file_in(out, 'figures', SafeName(column, '.svg'))\n"
        "    return file_in(out, 'figures', f'{column}.svg')\n",
        encoding="utf-8",
    )
    places = [Path(str(one.__file__)).parents[1] for one in (cardio_core, cardio_stats)]
    monkeypatch.setenv("MYPYPATH", os.pathsep.join(map(str, places)))
    found, _, code = mypy.run(
        ["--strict", "--follow-imports=silent", "--ignore-missing-imports", "--config-file=",
         "--no-error-summary", f"--cache-dir={tmp_path / 'cache'}", str(planted)]
    )  # fmt: skip
    (error,) = found.splitlines()
    assert (code, error.split(":")[1]) == (1, "5")
    assert 'expected "SafeName"' in error
