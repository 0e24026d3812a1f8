"""Count what is shipped, a distribution a line: `python .ci/size.py [CHECKOUT]`.

A line of code is a line that holds a token of the program: docstrings, comments and blank lines
are none. Of these, lines of import statements are counted once more by themselves.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENCODING, tokenize.ENDMARKER,
}  # fmt: skip
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def main() -> None:
    """Print files, lines of code, the median module and import lines of each distribution."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    lines = [f"{'':32}{'files':>7}{'code':>9}{'median':>8}{'imports':>9}"]
    for place in ("core", "plugins", "examples"):
        counted = {one: list(_counts(one / "src")) for one in _distributions(root / place)}
        for one, files in counted.items():
            lines += [_line(str(one.relative_to(root)), files)]
        lines += [_line(place, [file for files in counted.values() for file in files])]
    of_tests = [one for folder in _tests(root) for one in _counts(folder)]
    lines += [_line("tests of all kinds", of_tests)]
    sys.stdout.write("\n".join(lines) + "\n")


def counts(source: str) -> tuple[int, int]:
    """Return the lines of code of a module, and how many of them are of import statements."""
    tree = ast.parse(source)
    told: set[int] = set()
    imports: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            told |= _lines(node.body[0])
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports |= _lines(node)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    code = {
        line
        for token in tokens
        if token.type not in NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - told), len(imports & code)


def _lines(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _distributions(folder: Path) -> list[Path]:
    if (folder / "src").is_dir():  # one distribution, and no folder of several
        return [folder]
    return sorted(one.parent for one in folder.glob("*/src"))


def _tests(root: Path) -> list[Path]:
    return [root / "tests", *sorted(root.glob("*/tests")), *sorted(root.glob("*/*/tests"))]


def _counts(folder: Path) -> Iterator[tuple[int, int]]:
    for path in sorted(folder.rglob("*.py")):
        found = counts(path.read_text(encoding="utf-8"))
        if found[0]:
            yield found


def _line(name: str, files: list[tuple[int, int]]) -> str:
    code = [lines for lines, _ in files]
    middle = statistics.median(code) if code else 0
    imports = sum(n for _, n in files)
    return f"{name:32}{len(files):7,}{sum(code):9,}{middle:8.0f}{imports:9,}"


if __name__ == "__main__":
    main()
