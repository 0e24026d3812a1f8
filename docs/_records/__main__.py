"""``python -m docs._records``: write what pages show of records, and check what they state."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable

from . import evidence, listed, pages, plots, record, stale


def main() -> int:
    """Return the exit code: 1 where a page or a record has to be mended."""
    parser = argparse.ArgumentParser(prog="python -m docs._records", description=__doc__)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--check", action="store_true", help="write nothing")
    only.add_argument("--stale", action="store_true", help="list records that are not current")
    only.add_argument("--unchanged", metavar="REASON", help="changed records give equal numbers")
    only.add_argument("--changed", metavar="REASON", help="changed records give other numbers")
    only.add_argument("--measured", action="store_true", help="the named records are new")
    only.add_argument("--remake", type=float, metavar="MINUTES", help="measure stale ones anew")
    parser.add_argument("names", nargs="*", help="records; all that changed, unless named")
    request = parser.parse_args()
    if request.stale:
        return _list_stale(request.names)
    if request.remake is not None:
        return _remake(request.names, request.remake)
    if request.unchanged or request.changed or request.measured:
        if request.measured and not request.names:
            parser.error("--measured needs the names of records")
        _mark(request.names, request.unchanged, request.changed)
    if not request.check:
        for page in pages.checked():
            path = record.ROOT / page
            text = path.read_text(encoding="utf-8")
            if (made := pages.rendered(text)) != text:
                path.write_text(made, encoding="utf-8")
            for plot in pages.plotted(made):
                if not plots.is_current(*plot):
                    plots.write(*plot)
    found = pages.found_wrong()
    if listed.NOT_YET:
        sys.stderr.write(f"Not checked yet: {', '.join(listed.NOT_YET)}\n")
    _print(found)
    if found:
        sys.stderr.write("What to do stands in CONTRIBUTING.md, Measured numbers.\n")
    return bool(found)


def _print(lines: Iterable[object]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _list_stale(names: list[str]) -> int:
    """List marked records, then those that changed; only these make the exit code 1."""
    names = names or record.names()
    measured = [one for one in map(record.read, names) if "quoted" not in one.raw]
    marked = [one for one in measured if one.stale]
    changed = stale.changed(stale.Now(), stale.Index(), names)
    _print(f"marked   {one.name}: {one.stale}" for one in marked)
    _print(f"changed  {name}: {stale.in_words(missing)}" for name, missing in changed.items())
    current = len(measured) - len(marked) - len(changed)
    _print([f"{current} of {len(measured)} measurements are current."])
    return bool(changed)


def _mark(names: list[str], unchanged: str | None, changed: str | None) -> None:
    """Store of records, all that changed unless named, that they are current, or not."""
    now, index = stale.Now(), stale.Index()
    for name in names or stale.changed(now, index, record.names()):
        path = record.STORED / f"{name}.json"
        raw = json.loads(path.read_text(encoding="utf-8"))
        for key in ("stale", "newer", "unchanged"):
            raw.pop(key, None)
        if changed:
            raw["stale"] = changed
            index.tokens.pop(name, None)
        else:
            index.tokens[name] = now.gone_through(name, raw, index.tokens.get(name, ()))
            if unchanged:
                raw["unchanged"] = {"date": time.strftime("%Y-%m-%d"), "how": unchanged}
        evidence.write(name, raw)
        pages.known.cache_clear()
    index.write()


def _remake(names: list[str], budget: float) -> int:
    """Make stale records anew within some minutes; list what is left. 1: one went wrong."""
    now, index = stale.Now(), stale.Index()
    names = names or record.names()
    known = [one for one in map(record.read, names) if "quoted" not in one.raw]
    due = {one.name for one in known if one.stale} | set(stale.changed(now, index, names))
    work = evidence.listed(due)
    begun, failed = time.monotonic(), False
    left = []
    for one in work:
        minutes = budget - (time.monotonic() - begun) / 60
        if one.by_hand or (one.minutes or 0.0) >= minutes:
            left.append(one)
            continue
        _print([one])
        if wrong := evidence.remade(one, minutes):
            failed = failed or not wrong.startswith("stopped")
            _print([f"  {wrong}"])
            left.append(one)
        else:
            _mark([one.name], None, None)
    if len(left) < len(work):
        _print(["Remade; run python -m docs._records, and read the pages' words again."])
    known_cost = sum(one.minutes or 0.0 for one in left if not one.by_hand)
    unknown = sum(one.minutes is None and not one.by_hand for one in left)
    _print([f"{len(left)} stale measurements are left, at least {known_cost:.0f} minutes, "
            f"{unknown} of unknown length:", *left])  # fmt: skip
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
