"""Names of files that come from data: safe on every file system, and never outside their folder."""

from __future__ import annotations

import copy
import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mypy import api as mypy

import cardio_core
import cardio_stats
from cardio_core.testing import call_cardio
from cardio_core.types.artifact import ModelArtifact
from cardio_stats.errors import DataError
from cardio_stats.files import SafeName, file_in

# As Microsoft's "Naming Files, Paths, and Namespaces" lists them.
WINDOWS = [
    "CON", "PRN", "AUX", "NUL", *(f"COM{n}" for n in range(10)), *(f"LPT{n}" for n in range(10)),
]  # fmt: skip
HOSTILE = [
    # paths, up, down, absolute, of Windows and of shares
    *("../" * n + "ESC" for n in range(1, 31)),
    *("..\\" * n + "ESC" for n in range(1, 6)),
    *(f"a/{'../' * n}ESC" for n in range(2, 7)),
    "/etc/passwd", "/var/ESC", "//server/share", "C:\\ESC", "C:ESC", "\\\\?\\C:\\ESC", "~/ESC",
    "~root/ESC", "file:///ESC", "a/b", "a/b/c", "figures/../../ESC", "%2e%2e%2fESC", "..%2fESC",
    # dots
    *("." * n for n in range(1, 11)), ".hidden", ".ESC.svg", "end.", "end...", "a..b/..", ". .",
    # names that Windows keeps
    *WINDOWS, *(f"{name.lower()}.svg" for name in WINDOWS), "CON.a.b", "nul .txt", "AUX:", "CONIN$",
    # characters that a file system, a shell or a page takes for something else
    *(f"a{one}b" for one in "<>:\"|?*;&$`'!#%{}[]()=,^~@+ "), "-rf", "--out=/var/ESC", " ", "a ",
    "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "$(touch ESC)", "`touch ESC`", "a:stream",
    # controls and what turns or hides text
    *(f"a{chr(code)}b" for code in (1, 2, 7, 8, 9, 11, 12, 14, 27, 31, 127, 133, 155)),
    "\u202egvs.CSE", "\u200fa", "a\u200b", "\ufeffa", "\u2028a", "a\u0000b", "a\u2066b\u2069",
    # other scripts, long ones too
    "心电图", "左心室射血分数（%）", "결과", "アウトカム", "исход", "النتيجة", "תוצאה", "αβγ", "é",
    "e\u0301",
    "心" * 240, "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "❤️" * 60, "ﬁ", "ＣＯＮ",
    # long ones
    "x" * 81, "x" * 255, "x" * 300, "x" * 5000, "../" * 1500 + "ESC", "a." * 60, "-" * 100,
]  # fmt: skip
FEW = ["../../../../ESC", "CON", "a\\b", "x" * 300, "心" * 240, "\u202egvs.CSE"]
ALLOWED = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def is_safe(name: str) -> bool:
    stem = name.partition(".")[0].upper()
    shown = ALLOWED.fullmatch(name) and name[0] != "." and name[-1] != "."
    return bool(shown) and stem not in WINDOWS


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


@pytest.mark.parametrize(
    ("name", "refused"), [("f'{column}.svg'", True), ("SafeName(column, '.svg')", False)]
)
def test_mypy_refuses_a_text_where_a_safe_name_is_asked_for(
    name: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(
        "from pathlib import Path\n"
        "from cardio_stats.files import file_in\n"
        "from cardio_stats.files import SafeName\n"
        "def write(out: Path, column: str) -> Path:\n"
        f"    return file_in(out, 'figures', {name})\n",
        encoding="utf-8",
    )
    places = [Path(str(one.__file__)).parents[1] for one in (cardio_core, cardio_stats)]
    monkeypatch.setenv("MYPYPATH", os.pathsep.join(map(str, places)))
    said, _, code = mypy.run(
        ["--strict", "--follow-imports=silent", "--ignore-missing-imports", "--config-file=",
         f"--cache-dir={tmp_path / 'cache'}", str(planted)]
    )  # fmt: skip
    assert code == int(refused), said
    assert ('expected "SafeName"' in said) == refused


@pytest.mark.parametrize(
    "names", [FEW, pytest.param(HOSTILE, marks=pytest.mark.slow)], ids=["few", "all"]
)
def test_judge_writes_into_out_alone_whatever_the_outcome_is_called(
    names: list[str], tmp_path: Path
) -> None:
    truth = np.arange(12) % 2
    out, table = tmp_path / "a" / "b" / "c" / "out", tmp_path / "predictions.csv"
    out.parent.mkdir(parents=True)
    for folder in (tmp_path, *out.parents[:3]):
        (folder / "ESC.svg").write_text("mine", encoding="utf-8")
    before = contents(tmp_path, out)
    judged = 0
    for number, text in enumerate(names):
        columns = {"id": range(12), text: truth, "risk": 0.3 + 0.3 * truth + np.arange(12) / 40}
        pd.DataFrame(columns).to_csv(table, index=False)
        before["predictions.csv"] = table.read_bytes()
        said = call_cardio("judge", table, "--outcome", text, "--score", "risk",
                           "--out", out / str(number))  # fmt: skip
        assert said.exit_code in (0, 2, 3), (text, said.stderr)
        assert contents(tmp_path, out) == before, text
        if said.exit_code == 0:
            judged += 1
            figures = list((out / str(number) / "figures").iterdir())
            assert any(file.name.startswith("forest") for file in figures)
            assert [file.name for file in figures if not is_safe(file.name)] == []
        else:
            assert "Unexpected" not in said.stderr
    assert judged > 0.75 * len(names)


def contents(folder: Path, apart: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.is_relative_to(apart)
    }
