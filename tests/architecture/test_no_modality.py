"""The core and its statistics know no modality: they show what plugins declare of theirs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import source_files as source

WORDS = re.compile(
    r"(?<![a-z])(ecgs?|spect|cmr|mri|beats?|loops?|sept(?:um|al)|doppler|qrs|lbbb|r ?peaks?|mitdb"
    r"|mit-bih|ptb-?xl|echonet|echo(?:cardi\w+)|a4c|view:)(?![a-z])",
    re.IGNORECASE,
)
"""Of one modality alone; 'frame', 'view', 'lead' and 'segment' mean other things in code, too."""

CLINICAL = "the clinical columns that cohorts of every modality have, and their abbreviations"
EXAMPLE = "an example with two runs of a user's, named for what they are of"
ALLOWED = {
    "cardio_core/io/cohort_columns.py": CLINICAL,
    "cardio_core/io/cohort_table.py": CLINICAL,
    "cardio_core/report/measurements.py": CLINICAL,
    "cardio_core/report/terms.py": CLINICAL,
    "cardio_stats/words.py": CLINICAL,
    "cardio_studies/commands.py": EXAMPLE,
    "cardio_stats/commands.py": EXAMPLE,
    "cardio_core/runner/lock.py": "the heartbeat of a lock",
    "cardio_stats/forensics/counts.py": "a check that published numbers of ECG papers need",
}
"""Files that may, and why; no other may."""


def texts(tree: ast.Module) -> Iterator[str]:
    """Yield names and literals; of docstrings those alone that a command shows as its help."""
    silent = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            shown = any("command" in ast.unparse(d) or "group" in ast.unparse(d)
                        for d in getattr(node, "decorator_list", ()))  # fmt: skip
            silent |= {id(node.body[0].value)} if ast.get_docstring(node) and not shown else set()
        elif isinstance(node, ast.Expr):
            silent.add(id(node.value))  # of an attribute
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in silent:
                yield text
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield name


def found_in(text: str) -> list[str]:
    """Return the words of a modality in a text or a name; names of plugins are examples."""
    for plugin in source.PLUGINS:
        text = text.replace(plugin, "")
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).replace("_", " ")
    return WORDS.findall(spaced)


def test_words_are_found_in_names_of_every_style():
    assert found_in("is_loop") and found_in("R_PEAKS") and found_in("EcgLeads")
    assert not found_in("ecg_transfer") and not found_in("loopback heartbeat")


@pytest.mark.parametrize("name", ["cardio_core", "cardio_studies", "cardio_stats"])
def test_no_name_and_no_text_of_the_core_is_of_one_modality(name):
    package = source.SHARED[name]
    found: dict[str, set[str]] = {}
    for path in source.python_files(package):
        words = {word for text in texts(ast.parse(path.read_text())) for word in found_in(text)}
        if words and "template" not in path.parts:
            found[str(Path(path).relative_to(package.parent))] = words
    own = {file for file in ALLOWED if file.startswith(f"{name}/")}
    assert {file: words for file, words in found.items() if file not in own} == {}
    assert own <= set(found), "remove what needs no exception any more"
