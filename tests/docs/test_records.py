"""Measured numbers of pages are held by records; a changed digit and changed code are told."""

from __future__ import annotations

import doctest
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))
try:
    from _records import __main__ as command_line
    from _records import fields, numbers, pages, plots, record, stale
finally:
    sys.path.remove(str(ROOT / "docs"))


def test_every_number_of_the_pages_is_held_by_a_record_that_its_section_names():
    assert pages.found_wrong() == []


def test_every_page_is_looked_at_or_said_not_to_be():
    listed = [*pages.MADE, *pages.BY_CODE, *pages.NOT_YET]
    assert len(set(listed)) == len(listed)
    assert sorted([*listed, *pages.checked()]) == pages.all_pages()


def digits_changed(number):
    """Yield a number of a page with each of its digits changed in turn."""
    for place, letter in enumerate(number.text):
        if letter.isdigit():
            text = number.text[:place] + str((int(letter) + 1) % 10) + number.text[place + 1 :]
            value = float(text.replace(",", "").lstrip("−+-"))
            yield number._replace(text=text, value=value)


def test_a_changed_digit_fails_the_build():
    text = (ROOT / "docs/results/echo_cmr.md").read_text(encoding="utf-8")
    changed = text.replace("| 0.121 |", "| 0.122 |")
    (wrong,) = pages.unheld(changed)
    assert (wrong.text, wrong.line) == ("0.122", text[: text.index("| 0.121")].count("\n") + 1)


def test_most_changed_digits_fail_the_build():
    found = []
    for page in pages.checked():
        text = (ROOT / page).read_text(encoding="utf-8")
        for number, holders in pages.with_holders(text, page):
            if number.digits > 1:  # one digit alone is easily another number of the section
                found += [
                    not any(other in held for held in holders) for other in digits_changed(number)
                ]
    assert len(found) > 200
    assert sum(found) / len(found) > 0.8


def test_a_changed_digit_of_a_shown_table_fails_the_build():
    text = (ROOT / "docs/results/mmode_septal_flash.md").read_text(encoding="utf-8")
    assert pages.rendered(text) == text
    changed = text.replace("|best possible|0.84|", "|best possible|0.85|")
    assert changed != text
    assert pages.rendered(changed) == text


def test_a_plot_of_older_numbers_fails_the_build(monkeypatch, tmp_path):
    monkeypatch.setattr(plots, "IMAGES", tmp_path / "docs" / "images" / "results")
    monkeypatch.setattr(plots, "ROOT", tmp_path)
    plots.IMAGES.mkdir(parents=True)
    rows = [["trees", "0.94 (0.90 to 0.97)"], ["QRS duration", "**0.80 (0.72 to 0.86)**"]]
    measured = record.Record("page/made", {"tables": {"models": {"head": ["model", "AUC"],
                                                                 "rows": rows}}})  # fmt: skip
    plots.write(measured, "models", "AUC")
    assert plots.is_current(measured, "models", "AUC")
    assert "QRS duration 0.80 (0.72 to 0.86)" in plots.image(measured, "models", "AUC")
    rows[0][1] = "0.93 (0.90 to 0.97)"
    assert not plots.is_current(measured, "models", "AUC")


@pytest.mark.parametrize(
    ("held", "stated", "found"),
    [
        (0.6347, ".635", True),
        (0.6347, "63.5 %", True),
        (0.6347, ".634", False),
        ("0.6347", ".635", False),  # what a text says is not rounded further
        (0.6347, ".6", False),  # one digit says too little to be looked for by rounding
        ("2 of 3 (.12 to 1,234)", "1,234", True),
        (-0.08, "−.08", True),
        (0.08, "−.08", False),
        (-0.08, ".08", True),
        ({"record 203": 31}, "203", True),
        (36, "37", False),
    ],
)
def test_a_number_is_held_as_it_is_or_rounded(held, stated, found):
    (number,) = numbers.stated(f"It was {stated}.")
    assert (number in numbers.Held([held])) == found


@pytest.mark.parametrize(
    "text",
    ["V1 of 2026-11-22 and 23", "`k=3`", "commit 65bfadb", "R(2+1)D-18", "ResNet-50", "DS1",
     "12-lead", "95 % interval", "the 95th", "torch 2.13.0", "et al. 2014", "[a](b_2.md)",
     "<!-- given: 3 -->", "```sh\nx 3\n```", "## T1 and A4C", "Python 3.11"],
)  # fmt: skip
def test_what_is_no_measurement_is_not_looked_for(text):
    assert list(numbers.stated(text)) == []


def test_a_record_that_lacks_its_origin_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "STORED", tmp_path)
    (tmp_path / "one.json").write_text(json.dumps({"numbers": {"a": 1}, "result": 2}))
    with pytest.raises(ValueError, match=r"lacks command .*, date, machine"):
        record.read("one")


def test_a_record_older_than_what_it_is_filled_from_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "STORED", tmp_path)
    source = tmp_path / "study" / "coverage.json"
    source.parent.mkdir()
    source.write_text(json.dumps({"date": "2020-03-02"}))
    made = {"command": "x", "date": "2020-03-01", "machine": "m", "source": str(source)}
    (tmp_path / "one.json").write_text(json.dumps(made))
    with pytest.raises(ValueError, match=r"2020-03-01.* 2020-03-02"):
        record.read("one")
    source.write_text(json.dumps({"date": "2020-03-01"}))
    record.read("one")


def test_a_field_that_leads_nowhere_is_told():
    with pytest.raises(ValueError, match=r"a/c: nothing there"):
        fields.filled("{a/c|.1f}", {"a": {"b": 1}})


def test_the_examples_are_right():
    assert [doctest.testmod(one).failed for one in (fields, numbers)] == [0, 0]


SOURCES = {
    "core/near/src/near/__init__.py": "",
    "core/near/src/near/numbers.py": '''
"""Numbers."""
import math
import click
import numpy as np
from near.limits import FLOOR as LEAST

def _clipped(value: float) -> float:
    """Return it, or the floor."""
    if value < 0:
        return _clipped(-value)
    found = max(value, LEAST)
    return found

def _moved(value, up, down):
    return value + up - down

@click.command(name="mean")
def shown():
    """Show a mean."""
    print(f"The mean of them is {Mean().of([1])}")

class Mean:
    """A mean."""
    digits: int = 3

    def of(self, values):
        if not len(values):
            raise ValueError("no values")
        shown()
        return round(_moved(_clipped(float(np.mean(values))), up=2, down=1), self.digits)
''',
    "core/near/src/near/limits.py": "FLOOR = 0.5\nCEILING = 9\n\ndef twice(x):\n    return 2 * x\n",
    "benchmarks/measure.py": "from near.numbers import Mean\n\nprint(Mean().of([1, 2]))\n",
    "constraints.txt": "numpy==2.4.6\nclick==8.5.1\n",
    "docs/_records/.keep": "",
    "plugins/far/cpu.yaml": "epochs: 3  # enough\n",
}


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A small repository with one record of a measurement, which is current."""
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    stored = tmp_path / "stored"
    stored.mkdir()
    monkeypatch.setattr(record, "STORED", stored)
    monkeypatch.setattr(record, "ROOT", tmp_path)
    (tmp_path / "data" / "small").mkdir(parents=True)
    (tmp_path / "data" / "small" / "a.csv").write_text("1")
    monkeypatch.setenv("CARDIO_DATA", str(tmp_path / "data"))
    raw = {"command": "python benchmarks/measure.py --data $CARDIO_DATA/small", "machine": "m",
           "date": "2026-11-23", "entries": ["plugins/far/cpu.yaml"]}  # fmt: skip
    (stored / "mean.json").write_text(json.dumps(raw))
    index = stale.Index()
    index.tokens["mean"] = stale.Now().gone_through("mean", raw)
    index.write()
    return tmp_path


def missing():
    """Return what is no longer found of the record; None if it is current."""
    found = stale.changed(stale.Now(), stale.Index(), ["mean"])
    return sorted(found["mean"]) if found else None


def replaced(house, file, old, new):
    text = (house / file).read_text(encoding="utf-8")
    assert old in text
    (house / file).write_text(text.replace(old, new), encoding="utf-8")


NUMBERS, LIMITS = "core/near/src/near/numbers.py", "core/near/src/near/limits.py"


@pytest.mark.parametrize(
    "changes",
    [
        [(NUMBERS, '"""A mean."""', '"""The mean, as it was."""'), (NUMBERS, '"""Numbers."""', "")],
        [(NUMBERS, "    found = max(value", "    # at least\n    found = max(\n        value")],
        [(NUMBERS, "import math\n", ""), (NUMBERS, "import numpy as np", "import numpy"),
         (NUMBERS, "np.mean", "numpy.mean")],
        [(NUMBERS, "from near.limits import FLOOR as LEAST", "from near import limits"),
         (NUMBERS, "LEAST", "limits.FLOOR")],
        [(NUMBERS, "value: float) -> float", "value: int) -> int")],
        [(NUMBERS, "found", "bounded")],
        [(NUMBERS, "_clipped", "_bounded")],
        [(NUMBERS, 'ValueError("no values")', 'LookupError("expected a value", code="empty")')],
        [(NUMBERS, "value, up, down", "value, plus, down"), (NUMBERS, "+ up", "+ plus"),
         (NUMBERS, "up=2", "plus=2")],
        [(NUMBERS, 'name="mean"', 'name="average"'), (NUMBERS, "The mean of", "The average of")],
        [(NUMBERS, "digits: int", "digits: float")],
        [(NUMBERS, "    def of(", "    def first(self, values):\n        return 1\n\n    def of(")],
        [(LIMITS, "FLOOR", "LOWEST"), (NUMBERS, "FLOOR", "LOWEST")],
        [(LIMITS, "CEILING = 9", "CEILING = 8"), (LIMITS, "2 * x", "3 * x")],
        [("plugins/far/cpu.yaml", "# enough", "# few")],
        [("constraints.txt", "click==8.5.1", "click==8.6.0")],
    ],
    ids=["docstring", "comment", "imports", "module instead of name", "annotations", "a local",
         "a private function", "what is raised", "a parameter", "a command and its words",
         "the type of a setting", "one more method", "a constant's name", "what nothing reaches",
         "a comment of settings", "a package without numbers"],
)  # fmt: skip
def test_a_record_stays_current(house, changes):
    for change in changes:
        replaced(house, *change)
    assert missing() is None


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (LIMITS, "FLOOR = 0.5", "FLOOR = 0.25"),
        (NUMBERS, "max(value", "min(value"),
        (NUMBERS, "digits: int = 3", "digits: int = 4"),
        (NUMBERS, "np.mean", "np.median"),
        (NUMBERS, "import FLOOR as", "import CEILING as"),
        (NUMBERS, "not len(values)", "len(values) < 2"),
        (NUMBERS, "up=2, down=1", "down=2, up=1"),
        (NUMBERS, ".of([1])", ".of([2])"),
        ("benchmarks/measure.py", "[1, 2]", "[1, 3]"),
        ("plugins/far/cpu.yaml", "epochs: 3", "epochs: 4"),
        ("constraints.txt", "numpy==2.4.6", "numpy==2.5.0"),
        ("data/small/a.csv", "1", "10"),
    ],
)
def test_a_record_becomes_stale(house, file, old, new):
    replaced(house, file, old, new)
    assert missing()


def test_an_operator_in_a_definition_far_below_makes_a_record_stale(house):
    replaced(house, LIMITS, "FLOOR = 0.5", "FLOOR = twice(0.25)")
    index = stale.Index()
    index.tokens["mean"] = stale.Now().gone_through("mean", record.read("mean").raw)
    index.write()
    assert missing() is None
    replaced(house, LIMITS, "2 * x", "2 + x")
    assert {token.split()[1] for token in missing()} == {"FLOOR", "twice"}


def test_joined_and_renamed_modules_leave_a_record_current(house):
    limits = (house / LIMITS).read_text(encoding="utf-8")
    numbers = (house / NUMBERS).read_text(encoding="utf-8")
    joined = house / "core" / "stats" / "src" / "far" / "means.py"
    joined.parent.mkdir(parents=True)
    numbers = numbers.replace("from near.limits import FLOOR as LEAST\n", "")
    joined.write_text(limits + numbers.replace("LEAST", "FLOOR"), encoding="utf-8")
    for file in (LIMITS, NUMBERS):
        (house / file).unlink()
    replaced(house, "benchmarks/measure.py", "near.numbers", "far.means")
    assert missing() is None


def test_recordings_that_are_not_here_are_taken_for_the_same(house, monkeypatch):
    monkeypatch.delenv("CARDIO_DATA")
    assert missing() is None


def test_a_record_shown_to_be_unchanged_is_current_again_and_says_why(house, monkeypatch):
    replaced(house, NUMBERS, "max(value, LEAST)", "max(LEAST, value)")
    assert missing()
    main = command(monkeypatch)
    assert main("--stale") == 1
    main("--unchanged", "equal digit for digit")
    assert missing() is None
    kept = json.loads((record.STORED / "mean.json").read_text())
    assert kept["unchanged"]["how"] == "equal digit for digit"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", kept["unchanged"]["date"])
    assert main("--stale") == 0
    replaced(house, NUMBERS, "max(LEAST, value)", "min(LEAST, value)")
    main("--changed", "the floor is a ceiling")
    assert main("--stale") == 0  # a person has marked it
    assert "the floor is a ceiling" in record.read("mean").stale


def test_an_entry_that_moved_is_found_by_what_it_reached(house, monkeypatch):
    raw = json.loads((record.STORED / "mean.json").read_text())
    raw |= {"how": "by hand", "entries": ["near.numbers"]}
    del raw["command"]
    (record.STORED / "mean.json").write_text(json.dumps(raw))
    main = command(monkeypatch)
    main("--measured", "mean")
    (house / NUMBERS).rename(house / "core/near/src/near/means.py")
    replaced(house, "core/near/src/near/means.py", "max(value, LEAST)", "max(LEAST, value)")
    assert missing()
    main("--unchanged", "equal")
    assert missing() is None
    replaced(house, LIMITS, "0.5", "0.6")
    assert missing()


def test_a_record_of_which_nothing_is_known_is_listed(house):
    (house / "docs/_records/dependence.json").unlink()
    assert missing() == []


def command(monkeypatch):
    """Return the command line, without the pages of the repository."""
    monkeypatch.setattr(pages, "checked", list)
    monkeypatch.setattr(pages, "found_wrong", list)

    def main(*words):
        monkeypatch.setattr(sys, "argv", ["_records", *words])
        pages.known.cache_clear()
        return command_line.main()

    return main


STUDY = """
import json, sys
json.dump({"date": "2026-12-01", "mean": 2.5}, open("study.json", "w"))
"""


def test_stale_measurements_are_made_anew_cheapest_first_within_a_budget(
    house, monkeypatch, capsys
):
    (house / "study.json").write_text(json.dumps({"date": "2026-11-23", "mean": 1.5}))
    (house / "benchmarks" / "study.py").write_text(STUDY)
    usual = {"machine": "m", "date": "2026-11-23", "stale": "other code", "minutes": 1}
    for name, more in {
        "study": {"command": "python benchmarks/study.py", "source": "study.json"},
        "long": {"command": "python benchmarks/study.py", "source": "study.json", "minutes": 300},
        "copied": {"command": "python benchmarks/study.py"},
    }.items():
        (record.STORED / f"{name}.json").write_text(json.dumps(usual | more))
    main = command(monkeypatch)
    assert main("--remake", "0") == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[2] for line in lines] == ["study", "long", "copied"]
    (record.STORED / "long.json").rename(house / "long.json")
    assert main("--remake", "5") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "copied  (by hand: its numbers are copied)" in lines[-1]
    kept = record.read("study")
    assert (kept.stale, kept.raw["date"]) == ("", "2026-12-01")
    assert stale.changed(stale.Now(), stale.Index(), ["study"]) == {}


def test_every_measurement_that_is_not_marked_says_what_it_went_through():
    known = stale.Index().tokens
    names = record.names()
    assert set(known) <= set(names)
    unknown = [name for name in names if name not in known and not (one := record.read(name)).stale
               and "quoted" not in one.raw and one.raw.get("entries") != []]  # fmt: skip
    assert unknown == []


def test_the_footer_of_a_page_lists_its_records_and_marks_the_stale_ones():
    usual = {"command": "x", "date": "2026-11-23", "machine": "m", "transcribed": True}
    line = record.Record("a/b", usual | {"stale": "the solver changed"}).line()
    assert line == "`b` 2026-11-23, copied. **Stale**: the solver changed."
    page = "<!-- record: echo_cmr/intervals -->\n<!-- provenance -->\n<!-- end -->\n"
    assert "- `intervals` 2026-11-21" in pages.rendered(page)
    assert pages.with_provenance(page) == ["echo_cmr/intervals"]


def test_the_scripts_of_every_record_are_there():
    words = [word.partition("::")[0] for name in record.names()
             for command in record.read(name).commands for word in command.split()]  # fmt: skip
    scripts = {word for word in words if word.endswith(".py")}
    assert scripts
    assert [one for one in sorted(scripts) if not (ROOT / one).is_file()] == []
