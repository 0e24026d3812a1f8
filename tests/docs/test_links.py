"""Every link of every page leads somewhere: files, sections of pages, addresses that can be true.

No address is called: the tests need no network. What leaves the repository with a wheel is checked
in tests/core/test_distributions.py.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .test_commands import MADE, ROOT

LINK = re.compile(r"\]\(\s*([^)\s]+)(?:\s+\"[^\"]*\")?\s*\)|^```\{(?:image|figure)\}\s+(\S+)", re.M)
FENCE = re.compile(r"^( *)```(\S*).*?^\1```", re.M | re.S)
INLINE = re.compile(r"(?<!`)(`{1,2})(?!`)[^`\n]+\1(?!`)")
ADDRESS = re.compile(r"https?://[^\s\"'`<>)\]]+")
HEADING = re.compile(r"^#{1,4} +(.+?) *#*$", re.M)
PLACEHOLDER = re.compile(
    r"example\.(com|org|net)|OWNER|YOUR|TODO|FIXME|[<>{}]|(^|\.)invalid$", re.I
)
CORES = ("stats", "core", "ultrasound", "studies", "suite")
ON_THIS_MACHINE = {"localhost", "127.0.0.1", "HOST"}


def pages() -> list[Path]:
    """Return every page of the repository that somebody reads, none that the site makes."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("core/*/*.md")]
    found += [*ROOT.glob("plugins/*/*.md"), *ROOT.glob("examples/**/*.md")]
    return sorted(page for page in found if not is_made(page))


def is_made(page: Path) -> bool:
    """Return whether the site makes a page, so that the repository does not hold it."""
    return bool({ROOT / "docs" / name for name in MADE} & set(page.parents))


PAGES = pages()


def slug(heading: str) -> str:
    """Return the anchor that GitHub and the site give to a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return every anchor of a page; the second heading of one name ends in -1."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    seen: Counter[str] = Counter()
    found = set()
    for heading in HEADING.findall(text):
        name = slug(heading)
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return frozenset(found)


def prose(text: str) -> str:
    """Return a page's text without its code; a picture is none."""
    pictures = {"{image}", "{figure}"}
    text = FENCE.sub(lambda block: block[0] if block[2] in pictures else "", text)
    return INLINE.sub("", text)


def broken(text: str, page: Path) -> list[str]:
    """Return the links of a page's text that lead nowhere, as they are written."""
    wrong = []
    for link, picture in LINK.findall(prose(text)):
        target, _, anchor = (link or picture).partition("#")
        if urlsplit(target).scheme:
            continue
        place = (page.parent / target).resolve() if target else page
        missing = not place.exists() or is_made(place)
        lost = anchor and not missing and anchor not in anchors(place)
        if missing or lost or not place.is_relative_to(ROOT):
            wrong.append(link or picture)
    return wrong


def malformed(text: str) -> list[str]:
    """Return addresses that no browser could open, or that stand for another."""
    wrong = []
    for address in ADDRESS.findall(text):
        parts = urlsplit(address.rstrip(".,;:"))
        host = parts.hostname or ""
        if parts.netloc.partition(":")[0] in ON_THIS_MACHINE:
            continue
        if parts.scheme != "https" or "." not in host or PLACEHOLDER.search(address):
            wrong.append(address)
    return wrong


def test_every_link_of_a_page_leads_somewhere():
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    wrong = {
        str(page.relative_to(ROOT)): found
        for page, text in texts.items()
        if (found := broken(text, page) + malformed(text))
    }
    assert wrong == {}


def test_the_pages_are_all_looked_at():
    plugins = ("ecg_transfer", "spect_polar", "mmode_septal_flash", "echo_cmr")
    named = ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY", "docs/index")
    named += tuple(f"plugins/{name}/README" for name in plugins)
    named += tuple(f"core/cardio-{name}/README" for name in CORES)
    assert {ROOT / f"{name}.md" for name in named} <= set(PAGES)


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("[a](cohort.md)", []),
        ("[a](cohort.md#how-it-is-written)", []),
        ("[a](nothing.md)", ["nothing.md"]),
        ("[a](cohort.md#no-such-part)", ["cohort.md#no-such-part"]),
        ("[a](#no-such-part)", ["#no-such-part"]),
        ("[a\nb](../README.md) [c](../plugins/none/README.md)",
         ["../plugins/none/README.md"]),
        ("![a](images/none.png)", ["images/none.png"]),
        ("```{image} images/none.png\n:alt: a\n```", ["images/none.png"]),
        ("[a](../../outside.md)", ["../../outside.md"]),
        ("```text\n[a](nothing.md)\n```", []),
    ],
)  # fmt: skip
def test_a_broken_link_is_found(written, wrong):
    assert broken(written, ROOT / "docs" / "index.md") == wrong


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://distributed.dask.org/en/stable/tls.html", True),
        ("http://localhost:5000", True),
        ("http://distributed.dask.org", False),
        ("https://example.org/cardio", False),
        ("https://github.com/OWNER/cardio", False),
        ("https://host-without-a-dot/x", False),
    ],
)
def test_an_address_that_cannot_be_true_is_found(address, good):
    assert malformed(f"See [a]({address}).") == ([] if good else [address])
