"""No package that cardio needs is under a strong copyleft, and an audit that was none says so."""

from __future__ import annotations

import email
import importlib.util
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _module(name: str):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    made = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


licences = _module("licences")
vulnerabilities = _module("vulnerabilities")


@pytest.fixture(scope="module")
def tree():
    return licences.tree()


def test_no_package_that_is_needed_is_under_a_strong_copyleft(tree):
    assert licences.refused(tree) == []


def test_the_whole_tree_is_looked_at(tree):
    by_name = {one.name: one for one in tree}
    assert len(tree) > 80
    assert by_name["markupsafe"].needed_by == licences.OURS[1:]  # Jinja2's own
    assert licences.OURS[0] == "cardio-stats"  # which writes no page
    assert by_name["firthmodels"].needed_by == licences.OURS
    assert "cardio-spect-polar" in by_name["nibabel"].needed_by
    assert "pytest" not in by_name  # of an extra of others, which nobody asks for


def test_every_requirement_that_is_declared_is_on_the_page():
    page = licences.PAGE.read_text(encoding="utf-8")
    names = {licences._plain(Requirement(one).name) for one in _declared()}
    for name in names - set(licences.OURS):
        assert re.search(rf"[|,] ?{name}[|,]", page), "run python tests/audit/licences.py --write"


def _declared():
    for file in [*ROOT.glob("core/*/pyproject.toml"), *ROOT.glob("plugins/*/pyproject.toml")]:
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        yield from project["dependencies"]
        for extra in project.get("optional-dependencies", {}).values():
            yield from extra


@pytest.mark.parametrize("version", ["2.6.2", "2.6.3"])
def test_the_compromised_releases_of_lightning_are_excluded(version):
    (asked,) = {one for one in map(Requirement, _declared()) if one.name == "lightning"}
    assert Version(version) not in asked.specifier
    assert asked.specifier.contains("2.6.6")


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ("MIT", ""),
        ("GPL-3.0-or-later", "strong copyleft"),
        ("GPLv2", "strong copyleft"),
        ("GNU General Public License v3 (GPLv3)", "strong copyleft"),
        ("GNU Affero General Public License v3", "strong copyleft"),
        ("GNU Lesser General Public License v3 (LGPLv3)", "weak copyleft"),
        ("LGPL-2.1-or-later", "weak copyleft"),
        ("MPL-2.0 AND MIT", "weak copyleft"),
        ("MIT AND GPL-2.0-only", "strong copyleft"),
        ("GPL-2.0-only OR BSD-3-Clause", ""),
        ("GPL-3.0-or-later WITH GCC-exception-3.1 AND MIT", "weak copyleft"),
        (licences.NOT_DECLARED, licences.NOT_DECLARED),
    ],
)
def test_kinds_of_licences(licence, kind):
    assert licences.kind_of(licence) == kind


class Made(metadata.Distribution):
    """A distribution with the metadata that a test gives it."""

    def __init__(self, *lines, files=()):
        about = "\n".join(("Name: made", "Version: 1", *lines, "", ""))
        self.texts = {"METADATA": about, "RECORD": "\n".join(f"{file},," for file in files)}

    def read_text(self, filename):
        return self.texts.get(filename)

    def locate_file(self, path):
        return Path(path)

    @property
    def metadata(self):
        return email.message_from_string(self.texts["METADATA"])


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (("License-Expression: MIT", "License: GPL"), ("MIT", "expression")),
        (("License: Apache 2.0",), ("Apache 2.0", "field")),
        (
            ("Classifier: License :: OSI Approved :: BSD License",), ("BSD License", "classifier"),
        ),
        (
            ("License: GNU GENERAL PUBLIC LICENSE", "        Version 3", "        of 2007"),
            ("GPL", "file"),
        ),
        (("Summary: nothing",), (licences.NOT_DECLARED, "")),
    ],
)  # fmt: skip
def test_where_a_licence_is_declared(lines, found):
    assert licences.declared(Made(*lines)) == found


def test_a_library_under_the_gpl_is_found_inside_a_wheel_of_another_licence():
    files = ("made/core.so", "made.libs/libx264-8f6ea4.so.165", "made.libs/libvpx-4fb2.so.11.0.1")
    inside = licences.libraries(Made(files=files))
    assert inside == ("vpx", "x264")
    (line,) = licences.refused([licences.Licensed("made", "1", "BSD", "field", (), inside)])
    assert "x264" in line and "vpx" not in line


def _answer(**vulns):
    return {
        "dependencies": [
            {"name": name, "version": "1", "vulns": [{"id": one} for one in ids]}
            for name, ids in vulns.items()
        ]
    }


MIRROR = {"dependencies": [{"name": "jinja2", "skip_reason": "Dependency not found on PyPI"}]}


@pytest.mark.parametrize(
    ("control", "ours", "code"),
    [
        (_answer(jinja2=["A"]), _answer(numpy=[]), 0),
        (_answer(jinja2=["A"]), _answer(numpy=["B"]), 1),
        (None, _answer(numpy=[]), 4),
        (_answer(jinja2=["A"]), None, 4),
        (MIRROR, _answer(numpy=[]), 4),  # knows nothing of anything
        (_answer(jinja2=[]), _answer(numpy=[]), 4),
    ],
)
def test_an_audit_that_was_none_says_so(control, ours, code):
    found, words = vulnerabilities.judged(control, ours)
    assert found == code
    assert (words == vulnerabilities.UNREACHED) == (code == 4)
    assert ("numpy 1: B" in words) == (code == 1)
