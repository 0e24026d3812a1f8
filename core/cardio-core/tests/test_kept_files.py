"""Every kind of file of a run directory, as it is read again: whole, or one line that says why."""

from __future__ import annotations

import copy
import json
from functools import partial
from pathlib import Path

import pytest

from cardio_core.evaluation.conformal import CONFORMAL
from cardio_core.io import settings_schema as settings
from cardio_core.io.run_artifact import METRICS, SPLITS, manifest_in, words_of
from cardio_core.io.run_schema import FileSchema
from cardio_core.runner.fits import CHOSEN as CHOSEN_FILE
from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.files import write_json
from cardio_stats.serialization import MalformedError, parse_json, parse_yaml

RULE = {
    "alpha": 0.1, "quantile": 0.6, "n_patients": 23, "n_dropped": 0, "method": "m",
    "target": "ill", "kind": "binary", "classes": ["no", "yes"],
    "class_quantiles": [0.6, None], "class_patients": [12, 11],
}  # fmt: skip
CHOSEN = {
    "candidate": {"strength": 1.0}, "epochs": None, "notes": [],
    "decisions": [{"target": "ill", "offsets": [0.0, 0.5], "source": "inner folds"}],
}  # fmt: skip
ROW = {"name": "auc", "value": 0.8, "n": 20, "n_patients": 20, "level": 0.95, "p_value": None}
FOLDS = {"protocols": {"honest": {"folds": [{"name": "r0-f0", "train": ["a"], "test": ["b"]}]}}}
RUN = {
    "status": "done", "plugin": "toy", "task": "beats", "protocols": ["honest"], "models": ["a"],
    "targets": [{"name": "ill", "kind": "binary", "classes": ["no", "yes"]}], "seed": 0,
    "config_digest": "0", "device": {"precision": "32"}, "data": {"source": "real"},
    "packages": {}, "core_version": "0.1.0", "plugin_version": "0.1.0", "primary": "a",
    "needs": [], "stages": {}, "notes": [], "split_digest": "0", "outputs": {"a/b.json": "0a"},
}  # fmt: skip

WHOLE = {
    "conformal": (CONFORMAL.check, RULE),
    "chosen": (CHOSEN_FILE.check, CHOSEN),
    "metrics": (METRICS.check, [ROW]),
    "splits": (SPLITS.check, FOLDS),
    "manifest": (manifest_in, RUN),
    "any manifest": (partial(manifest_in, complete=False), RUN),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_is_taken_with_whatever_else_it_says(name):
    check, content = WHOLE[name]
    content = content if isinstance(content, list) else content | {"more": {"than": ["is known"]}}
    check(content, Path("a.json"))


def changed(content, place, value):
    """Return a copy with another value at a place; the value `...` takes the entry away."""
    content = copy.deepcopy(content)
    *way, last = place
    inner = content
    for part in way:
        inner = inner[part]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return content


@pytest.mark.parametrize(
    ("name", "place", "value", "said"),
    [
        ("conformal", ["n_patients"], -3, "n_patients to be greater than or equal to 0, found -3"),
        ("conformal", ["quantile"], "x", "quantile to be a valid number, found a text"),
        ("conformal", ["alpha"], 1.5, "alpha to be less than 1, found 1.5"),
        ("conformal", ["class_quantiles"], [0.1],
         "the content to have as many classes everywhere, found"),
        ("conformal", ["target"], 5, "target to be a valid string, found 5"),
        ("chosen", ["decisions", 0, "offsets"], [0.0, "x"],
         "decisions[0].offsets[1] to be a valid number, found a text"),
        ("chosen", ["decisions"], ..., "an entry at decisions, found none"),
        ("chosen", ["epochs"], True, "epochs to be a whole number, found true"),
        ("metrics", [0, "value"], None, "[0].value to be a valid number, found nothing"),
        ("metrics", [0, "value"], float("nan"), "[0].value to be a finite number, found nan"),
        ("metrics", [0, "n"], 10**40, "[0].n to be"),
        ("metrics", [0, "p_value"], 3, "[0].p_value to be less than or equal to 1, found 3"),
        ("metrics", [0, "name"], 5, "[0].name to be a valid string, found 5"),
        ("splits", ["protocols", "honest", "folds", 0, "test"], "b",
         "protocols.honest.folds[0].test to be a list, found a text"),
        ("splits", ["protocols"], [], "protocols to be named values, found a list"),
        ("manifest", ["models"], ["../.."], "models[0] to be a name without parts of a path"),
        ("manifest", ["models"], ["a\x00b"], "models[0] to be a name without parts of a path"),
        ("manifest", ["models"], ["a" * 300], "models[0] to be a name without parts of a path"),
        ("manifest", ["outputs"], {"../x": "0a"}, "to be a place inside the folder"),
        ("manifest", ["outputs"], {"/etc/x": "0a"}, "to be a place inside the folder"),
        ("manifest", ["protocols"], [], "protocols to have at least 1 item"),
        ("manifest", ["seed"], "0", "seed to be a whole number, found a text"),
        ("manifest", ["targets", 0, "kind"], "none",
         "targets[0].kind to be 'binary', 'multiclass' or 'continuous', found a text"),
        ("manifest", ["device"], [], "device to be named values, found a list"),
        ("manifest", ["outputs", "a/b.json"], "no digest",
         "to be a digest in hex digits, found a text"),
        ("manifest", ["targets"], "ill", "targets to be a list, found a text"),
        ("metrics", [0], 5, "[0] to be named values, found 5"),
        ("chosen", ["decisions", 0], 5, "decisions[0] to be named values, found 5"),
        ("manifest", ["members"], [{"label": "ecg", "run": "a\nb"}],
         "members[0].run to be a text of another form, found a text"),
        ("any manifest", ["notes"], "one", "notes to be a list, found a text"),
        ("any manifest", ["words"], {"a": 3}, "words.a to be a valid string, found 3"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(name, place, value, said, tmp_path):
    check, content = WHOLE[name]
    with pytest.raises(DataError) as caught:
        check(changed(content, place, value), tmp_path / "a.json")
    assert str(caught.value).startswith("a.json: expected ")
    assert said in str(caught.value)
    assert str(caught.value).endswith("was changed or is damaged: put back a whole copy of it")
    assert "\n" not in str(caught.value)


def test_files_of_another_schema_are_refused_with_what_to_do(tmp_path):
    with refuses(DataError, "manifest.json", "2", "1", code="version"):
        manifest_in(RUN | {"schema": 1}, tmp_path / "manifest.json")


def test_no_entry_can_put_a_line_break_into_a_message(tmp_path):
    kind = FileSchema("what it is", dict[str, int])
    with pytest.raises(DataError) as caught:
        kind.check({"a\nError: b\x1b[31m": "x"}, tmp_path / "a.json")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1"),
        (b'{"n": 1', "line 1"),
        (b'{"n": 1, "n": 2}', "'n' twice in one place"),
        (b'{"n": NaN}', "NaN in place of a number"),
        (b'{"n": -Infinity}', "-Infinity in place of a number"),
        (b'{"n": 1e999}', "a number too large"),
        (b'{"n": ' + b"1" * 5000 + b"}", "a number too long"),
        (b"[" * 100 + b"]" * 100, "too many levels"),
        (b"[" * 100_000, "too many levels"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "too many levels"),
        (b'{"n": "\\ud800"}', "half a character"),
        ("Größe".encode("latin-1"), "another byte in line 1"),
        ('{"n": 1}'.encode("utf-16"), "another byte in line 1"),
    ],
)
def test_what_is_no_json_is_told_in_one_line(content, said, tmp_path):
    file = tmp_path / "a.json"
    file.write_bytes(content)
    with refuses(DataError, "a.json", code="damaged") as caught:
        CHOSEN_FILE.read(file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_plain_file_is_not_opened(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.json")
    for name, said in (("none.json", "found none"), (".", "no plain file"),
                       ("pipe.json", "no plain file")):  # fmt: skip
        with pytest.raises(DataError, match=said):
            CHOSEN_FILE.read(tmp_path / name)


def test_a_file_beyond_its_size_is_not_read(tmp_path):
    file = tmp_path / "a.json"
    with file.open("wb") as large:
        large.truncate(1 << 40)  # takes no room on the disk
    with refuses(DataError, "a.json", "17", "1099512", code="too_large"):
        CHOSEN_FILE.read(file)


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
"""Nine lines that stand for more values than any memory holds."""

MERGED = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{','.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: 1\nseed: 2", "'seed' twice in one place, line 2"),
        ("a: [", "line 1"),
        ("a: 2020-13-45", "a value of no kind"),
        ("a: !!int x", "a value of no kind"),
        ("a: !!python/object/apply:os.system [x]", "line 1"),
        ("[" * 5000, "too many levels"),
        ("- " * 2000 + "x", "too many levels"),
        ("a: &a [*a]", "anchors that stand for themselves"),
        ("a: \x00", "a character that no text has"),
        ("a: 1\n---\na: 2", "line 2"),
        ("? {a: b}\n: c", "line 1"),
        (LAUGHS, "anchors that stand for more than 100000 values"),
        (MERGED, "anchors that stand for more than 100000 values"),
        ("a: " + "1" * 5000, "a value of no kind"),
        ("a: *b", "line 1"),
        ("x" * 2_000_001, "more than 2 MB"),
    ],
)
def test_what_is_no_yaml_is_told_in_a_few_words(text, said):
    with pytest.raises(MalformedError) as caught:
        parse_yaml(text)
    assert said in str(caught.value)
    with refuses(ConfigError, "a.yaml", code="damaged"):
        settings.read_yaml(text, "a.yaml")


def test_aliases_that_save_typing_stay():
    assert parse_yaml("base: &b {x: 1, y: 2}\nown: {<<: *b, x: 3}")["own"] == {"x": 3, "y": 2}


def test_json_reads_as_the_standard_reader_reads_it():
    text = '{"a": [1, 2.5, null, true, "\\u00e9\\ud83d\\ude00"], "b": {"c": -1e-7}}'
    assert parse_json(text) == json.loads(text)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ("tasks: 5", "tasks: expected settings by name, found a number"),
        ("tasks: []", "tasks: expected settings by name, found a list"),
        ("tasks: {beats: x}", "tasks.beats: expected settings by name, found a text"),
        ("tasks: {beats: 2020-01-01}", "tasks.beats: expected settings by name, found a date"),
    ],
)
def test_settings_of_tasks_are_settings_by_name(tree, said):
    with pytest.raises(ConfigError) as caught:
        settings.of_task(settings.read_yaml(tree, "a.yaml"), "beats", "a.yaml")
    assert str(caught.value).startswith(f"a.yaml: {said}")


def test_json_is_written_of_paths_that_a_locale_without_letters_took_apart(tmp_path):
    typed = "Läufe ≥".encode().decode("ascii", "surrogateescape")
    write_json(tmp_path / "a.json", {"out": typed, "odd": "\udce4 \ud800", "whole": "😀"})
    said = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert said == {"out": "Läufe ≥", "odd": "\ufffd \ufffd", "whole": "😀"}


def test_a_command_that_no_shell_takes_apart_is_refused():
    with refuses(DataError, "manifest.json", code="damaged"):
        words_of("cardio run --out 'x")
