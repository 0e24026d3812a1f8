"""The licences of everything that cardio's distributions need, extras included.

``python tests/audit/licences.py`` prints the table and ends with 1 where a package is under a
strong copyleft or declares no licence; ``--write`` puts the table into docs/licences.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licences.md"
OURS = (
    "cardio-stats", "cardio-core", "cardio-ultrasound", "cardio-studies", "cardio-suite",
    "cardio-ecg-transfer", "cardio-spect-polar", "cardio-mmode-septal-flash", "cardio-echo-cmr",
)  # fmt: skip

STRONG = re.compile(
    r"(?<![A-Za-z])A?GPL|GNU (?:Affero )?General Public|Affero|SSPL|Server Side Public", re.I
)
WEAK = re.compile(r"LGPL|Lesser General Public|MPL|Mozilla Public|EPL|Eclipse Public|CDDL", re.I)
LINKING = re.compile(r"WITH (?:GCC|Classpath)-exception", re.I)
"""Exceptions under which a program that uses the library is no work of the library's licence."""

NOT_DECLARED = "not declared"
GPL_LIBRARIES = re.compile(r"(lib)?(x264|x265|xvid|postproc|readline|fftw3|gsl)\b", re.I)
"""Libraries under the GPL that wheels are known to carry under a more liberal label."""

SAID_HERE = {"cuda-toolkit": "LicenseRef-NVIDIA-Proprietary"}
"""Licences of packages that declare none: this one is empty and asks for NVIDIA's, which all do."""
_BY_TEXT = (
    ("MIT License", "MIT"), ("Permission is hereby granted, free of charge", "MIT"),
    ("Apache License", "Apache-2.0"), ("GNU LESSER GENERAL", "LGPL"), ("GNU GENERAL", "GPL"),
    ("GNU AFFERO", "AGPL"), ("Redistribution and use in source", "BSD"),
)  # fmt: skip


@dataclass(frozen=True)
class Licensed:
    """A package with its licence.

    Attributes
    ----------
    name, version : str
        `version` is empty where it is not installed.
    licence : str
        As it is declared; empty where it is not installed.
    source : {"expression", "field", "classifier", "file", "known", ""}
        Which part of its metadata says so; known: none does.
    needed_by : tuple of str
        Of our distributions, those that lead to it.
    inside : tuple of str
        Names of the libraries that its wheel carries in a folder ``*.libs``.
    """

    name: str
    version: str
    licence: str
    source: str
    needed_by: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Return "strong copyleft", "weak copyleft", "not declared" or ""."""
        return kind_of(self.licence) if self.version else ""


def kind_of(licence: str) -> str:
    """Return what kind of copyleft a licence has; of alternatives, the most liberal counts.

    Examples
    --------
    >>> kind_of("GPL-3.0-only OR MIT"), kind_of("LGPL-2.1-or-later"), kind_of("MIT AND GPL-2.0")
    ('', 'weak copyleft', 'strong copyleft')
    """
    if licence == NOT_DECLARED:
        return licence
    kinds = [_kind_of_one(one) for one in re.split(r"\bOR\b", licence)]
    return min(kinds, key=("", "weak copyleft", "strong copyleft").index)


def _kind_of_one(licence: str) -> str:
    parts = re.split(r"\bAND\b", licence)
    if any(STRONG.search(part) and not LINKING.search(part) for part in parts if not _weak(part)):
        return "strong copyleft"
    return "weak copyleft" if any(map(_weak, parts)) else ""


def _weak(part: str) -> bool:
    return bool(WEAK.search(part)) or bool(LINKING.search(part))


def tree(roots: Iterable[str] = OURS) -> list[Licensed]:
    """Return every package that these distributions need, with all their extras, by name."""
    needed: dict[str, set[str]] = {}
    for root in roots:
        for name in _reached(root):
            needed.setdefault(name, set()).add(root)
    return [
        _licensed(name, tuple(one for one in OURS if one in needed[name]))
        for name in sorted(needed)
        if name not in OURS
    ]


def _reached(root: str) -> set[str]:
    """Return the names of a distribution and of all that it leads to."""
    extras = metadata.distribution(root).metadata.get_all("Provides-Extra") or []
    waiting = [(_plain(root), frozenset(extras))]
    seen = set(waiting)
    while waiting:
        name, asked = waiting.pop()
        for one in _required(name, asked):
            if one not in seen:
                seen.add(one)
                waiting.append(one)
    return {name for name, _ in seen}


def _required(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    try:
        requires = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for text in requires:
        one = Requirement(text)
        marker = one.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield _plain(one.name), frozenset(one.extras)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _licensed(name: str, needed_by: tuple[str, ...]) -> Licensed:
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return Licensed(name, "", "", "", needed_by)
    licence, source = declared(found)
    if licence == NOT_DECLARED and name in SAID_HERE:
        licence, source = SAID_HERE[name], "known"
    return Licensed(name, found.version, licence, source, needed_by, libraries(found))


def libraries(found: metadata.Distribution) -> tuple[str, ...]:
    """Return the names of the libraries in a wheel's folder ``*.libs`` or ``.dylibs``."""
    return tuple(
        sorted(
            {
                re.split(r"[-.]", file.name.removeprefix("lib"))[0]
                for file in found.files or ()
                if any(part.endswith((".libs", ".dylibs")) for part in file.parts[:-1])
            }
        )
    )


def declared(found: metadata.Distribution) -> tuple[str, str]:
    """Return the licence that a distribution declares, and where it does.

    The SPDX expression is first; then a short field; then the classifiers; then what its licence
    file is by its text.
    """
    about = found.metadata
    if expression := about.get("License-Expression"):
        return expression, "expression"
    field = (about.get("License") or "").strip()
    if field and "\n" not in field and len(field) <= 60:
        return field, "field"
    classifiers = [
        one.rpartition(" :: ")[2]
        for one in about.get_all("Classifier") or []
        if one.startswith("License :: ") and not one.endswith("OSI Approved")
    ]
    if classifiers:
        return " AND ".join(classifiers), "classifier"
    texts = [field, *(one.read_text() for one in found.files or () if _is_licence(one.name))]
    for text in texts:
        for beginning, name in _BY_TEXT:
            if beginning in text[:2000]:
                return name, "file"
    return NOT_DECLARED, ""


def _is_licence(name: str) -> bool:
    return name.upper().startswith(("LICENSE", "LICENCE", "COPYING"))


def _refused(found: Iterable[Licensed]) -> Iterator[str]:
    """Yield a line for each package that must not be there."""
    for one in found:
        if one.kind in ("strong copyleft", NOT_DECLARED):
            yield f"{one.name} {one.version}: {one.licence} ({one.kind})"
        if copyleft := [name for name in one.inside if GPL_LIBRARIES.match(name)]:
            yield f"{one.name} {one.version}: carries {', '.join(copyleft)} (strong copyleft)"


def refused(found: Iterable[Licensed]) -> list[str]:
    """Return a line for each package that must not be there, or that carries such a library."""
    return list(_refused(found))


def by_licence(found: Iterable[Licensed]) -> str:
    """Return the table of the page: the packages under each licence."""
    groups: dict[str, list[str]] = {}
    for one in found:
        licence = f"**{one.licence}**" if one.kind else one.licence or "not looked at"
        groups.setdefault(licence, []).append(one.name)
    lines = [f"|{licence}|{', '.join(names)}|" for licence, names in sorted(groups.items())]
    return "\n".join(["|licence|packages|", "|---|---|", *lines])


def carried(found: Iterable[Licensed]) -> str:
    """Return a sentence with the libraries that wheels carry."""
    parts = [f"{one.name} ({', '.join(one.inside)})" for one in found if one.inside]
    return f"Wheels that carry libraries: {'; '.join(parts)}."


def table(found: Iterable[Licensed]) -> str:
    """Return a line a package, with its version, licence and what needs it."""
    lines = ["| package | version | licence | from its | needed by |", "|---|---|---|---|---|"]
    for one in found:
        by = "all" if len(one.needed_by) == len(OURS) else ", ".join(
            name.removeprefix("cardio-") for name in one.needed_by
        )  # fmt: skip
        licence = f"**{one.licence}**" if one.kind else one.licence or "not looked at"
        cells = (one.name, one.version or "not installed", licence, one.source, by)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def summary(found: list[Licensed]) -> str:
    """Return in one line what was found."""
    weak = [f"{one.name} ({one.licence})" for one in found if one.kind == "weak copyleft"]
    absent = [one.name for one in found if not one.version]
    words = (
        f"{len(found) - len(absent)} packages: {len(refused(found))} under a strong copyleft or "
    )
    words += f"without a licence; under a weak copyleft: {', '.join(weak) or 'none'}"
    return words + (f"; not installed, not looked at: {', '.join(absent)}" if absent else "") + "."


def rendered(text: str, found: list[Licensed]) -> str:
    """Return the page with its table made anew."""
    marks = re.compile(r"(<!-- licences -->\n).*?(\n<!-- end -->)", re.DOTALL)
    made = f"{summary(found)}\n\n{by_licence(found)}\n\n{carried(found)}"
    text, n = marks.subn(lambda match: f"{match[1]}{made}{match[2]}", text)
    if n != 1:
        raise ValueError(f"{PAGE.name}: expected one place for the licences, found {n}")
    return text


def main() -> int:
    """Print or write the table; 1 where a package must not be there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.name}")
    found = tree()
    if parser.parse_args().write:
        PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    else:
        print(table(found))  # noqa: T201
    print(summary(found))  # noqa: T201
    for line in refused(found):
        print(f"Refused: {line}", file=sys.stderr)  # noqa: T201
    return 1 if refused(found) else 0


if __name__ == "__main__":
    sys.exit(main())
