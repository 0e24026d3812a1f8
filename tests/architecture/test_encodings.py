"""Text is UTF-8 wherever it is read or written, whatever the locale of the machine."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

import pytest

from . import source_files as source

SOURCES = [
    path
    for package in (*source.SHARED.values(), *source.PLUGINS.values())
    for path in source.python_files(package)
]
TEXT_MODES = set("rwaxt+")
PROGRAMS = ("run", "Popen", "check_output", "check_call")
BY_LOCALE = ("FileHandler", "savetxt", "loadtxt", "genfromtxt")


def left_to_the_locale(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the calls that open text without saying how it is written."""
    for node in nodes:
        if isinstance(node, ast.Call) and _opens_text(node):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def _opens_text(call: ast.Call) -> bool:
    owner, _, name = source.dotted(call.func).rpartition(".")
    said = {keyword.arg: keyword.value for keyword in call.keywords}
    if "encoding" in said or None in said or owner == "formatter":
        return False
    if name == "read_text":
        return not call.args
    if name == "write_text":
        return len(call.args) == 1  # our own takes a path before the text
    if name == "open":
        at = 1 if not owner else 0
        mode = said.get("mode", call.args[at] if len(call.args) > at else None)
        if mode is None:
            return not owner or not call.args
        return isinstance(mode, ast.Constant) and set(str(mode.value)) <= TEXT_MODES
    if name in PROGRAMS:
        return "text" in said or "universal_newlines" in said
    return name in BY_LOCALE


@pytest.mark.parametrize(
    "text",
    ["p.read_text()", "p.write_text(t)", "open(p)", "open(p, 'w')", "p.open()", "p.open('a')",
     "subprocess.run(['git'], text=True)", "np.savetxt(p, a)", "logging.FileHandler(p)"],
)  # fmt: skip
def test_the_rule_sees_what_it_is_about(text):
    assert list(left_to_the_locale(ast.walk(ast.parse(text))))
    stated = f"{text[:-1]}, encoding='utf-8')".replace("(, ", "(")
    assert not list(left_to_the_locale(ast.walk(ast.parse(stated))))


@pytest.mark.parametrize("text", ["p.open('rb')", "open(p, 'rb')", "Manifest.open(run)",
                                  "write_text(path, t)", "subprocess.run(['git'])"])  # fmt: skip
def test_the_rule_leaves_bytes_alone(text):
    assert not list(left_to_the_locale(ast.walk(ast.parse(text))))


def test_no_text_is_opened_as_the_locale_likes():
    found = {
        str(path.relative_to(source.ROOT)): calls
        for path in SOURCES
        if (calls := list(left_to_the_locale(source.nodes_of(path))))
    }
    assert found == {}
