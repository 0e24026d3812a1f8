"""Measured numbers of pages are held by records; a changed digit and changed code are told."""

from __future__ import annotations

import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))
try:
    from _records import fields, numbers, pages, record, stale
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
    changed = text.replace("an accuracy of **.999", "an accuracy of **.998")
    (wrong,) = pages.unheld(changed)
    assert (wrong.text, wrong.line) == (".998", text[: text.index("**.999")].count("\n") + 1)


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
    text = (ROOT / "docs/results/echo_cmr.md").read_text(encoding="utf-8")
    assert pages.rendered(text) == text
    changed = text.replace("| .862 (.802 to .915) |", "| .862 (.802 to .916) |")
    assert changed != text
    assert pages.rendered(changed) == text


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
    with pytest.raises(ValueError, match=r"lacks command .*, date, machine; knows no result"):
        record.read("one")


def test_a_record_older_than_what_it_is_filled_from_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "STORED", tmp_path)
    source = "core/tests/stored/roc_coverage.json"  # made on 2026-11-22
    made = {"command": "x", "date": "2026-11-21", "machine": "m", "source": source}
    (tmp_path / "one.json").write_text(json.dumps(made))
    with pytest.raises(ValueError, match=r"says 2026-11-21, but .* was made on 2026-11-22"):
        record.read("one")


def test_a_field_that_leads_nowhere_is_told():
    with pytest.raises(ValueError, match=r"a/c: nothing there"):
        fields.filled("{a/c|.1f}", {"a": {"b": 1}})


def test_the_examples_are_right():
    assert [doctest.testmod(one).failed for one in (fields, numbers)] == [0, 0]


def git(folder, *words):
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_records_whose_code_changed_and_that_nobody_marked_are_listed(tmp_path, monkeypatch):
    stored = tmp_path / "stored"
    stored.mkdir()
    monkeypatch.setattr(record, "STORED", stored)
    git(tmp_path, "init", "-q")
    (tmp_path / "code.py").write_text("1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-qm", "first")
    first = git(tmp_path, "rev-parse", "--short", "HEAD")
    (tmp_path / "code.py").write_text("2\n")
    git(tmp_path, "commit", "-qam", "another number")
    last = git(tmp_path, "rev-parse", "--short", "HEAD")
    usual = {"command": "x", "date": "2026-11-23", "machine": "m", "commit": first,
             "depends": ["code.py"]}  # fmt: skip
    for name, more in {
        "changed": {},
        "elsewhere": {"depends": ["other.py"]},
        "marked": {"stale": "code.py counts otherwise"},
        "shown": {"unchanged": {"commit": last, "how": "equal to the last digit"}},
        "vague": {"commit": "unknown"},
        "elsewhere made": {"commit": "0123456789"},
    }.items():
        (stored / f"{name}.json").write_text(json.dumps(usual | more))
    told = stale.unmarked(record.names(), tmp_path)
    assert [line.partition(":")[0] for line in told] == ["changed", "elsewhere made", "vague"]
    assert "another number" in told[0]


def test_the_commits_of_records_are_those_of_this_history():
    asked = "\n".join(sorted({one for name in record.names() for one in stale.commits(name)}))
    done = subprocess.run(
        ["git", "cat-file", "--batch-check"], cwd=ROOT, input=asked, capture_output=True, text=True
    )
    if done.returncode or (ROOT / ".git" / "shallow").exists():
        pytest.skip("no history")
    assert [line for line in done.stdout.splitlines() if line.split()[1] != "commit"] == []


def test_a_mark_stands_on_the_page():
    usual = {"command": "x", "date": "2026-11-23", "machine": "m", "transcribed": True}
    shown = record.Record("a", usual | {"stale": "the solver changed"}).origin()
    assert re.search(
        r"copied from what was printed.*Stale: the solver changed; not measured", shown
    )
