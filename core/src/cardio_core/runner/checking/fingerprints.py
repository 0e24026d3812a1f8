"""Short fingerprints of signals: who was trained on is known again by them, and by no name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from hashlib import shake_256
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.runner.checking.signals import Floats, print_of

N_BITS = 1024
NEAR = 16
"""Bits of `N_BITS` in which fingerprints of one signal may differ. A copy in another format or gain
(correlation 0.9999) differs in 5 on average, two signals that correlate by 0.99 in 46."""


def fingerprint_of(value: Any) -> str:
    """Return the fingerprint of a recording; empty where it holds no signal.

    Examples
    --------
    >>> signal = np.sin(np.arange(5000) / 7.0)
    >>> new = {"a": fingerprint_of(signal * 3 + 1), "b": fingerprint_of(signal[:4500])}
    >>> known_again(new, [fingerprint_of(signal)])
    {'a'}
    """
    found = print_of(value)
    return "" if found is None else fingerprint(found)


def fingerprint(looks: Floats) -> str:
    """Return the fingerprint of what `print_of` returned: its length, then the bits.

    Each bit is the sign of a sum of the block means with fixed signs, so that the share of bits in
    which two differ is the angle between the signals. The signal cannot be drawn from it.
    """
    bits = _signs(len(looks)) @ looks.astype(np.float32) > 0
    return f"{len(looks)}:{np.packbits(bits).tobytes().hex()}"


def known_again(new: Mapping[str, str], known: Collection[str]) -> set[str]:
    """Return the names of new recordings whose signal is among those known.

    Parameters
    ----------
    new : mapping of str to str
        Fingerprints by recording; empty ones are nobody's.
    known : collection of str
        Fingerprints.
    """
    found = set()
    seen = _by_length(known)
    for length, names in _by_length(new).items():
        if length not in seen:
            continue
        theirs = _bits(list(seen[length])).T
        for start in range(0, len(names), 1000):
            own = names[start : start + 1000]
            differ = (N_BITS - _bits([new[one] for one in own]) @ theirs) / 2
            found |= {name for name, least in zip(own, differ.min(axis=1), strict=True)
                      if least <= NEAR}  # fmt: skip
    return found


def same_signals(prints: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the pairs of recordings that hold one signal, in the order of their names.

    Two fingerprints that differ in at most `NEAR` bits are equal in one of `NEAR` + 1 stretches, so
    only those that share one are compared: the time grows with the recordings, not their square.

    Parameters
    ----------
    prints : mapping of str to str
        Fingerprints by recording; empty ones are nobody's.

    Examples
    --------
    >>> signal = np.sin(np.arange(5000) / 7.0)
    >>> one, other = fingerprint_of(signal), fingerprint_of(np.cos(np.arange(5000) / 3.0))
    >>> same_signals({"a": one, "b": other, "c": fingerprint_of(signal * 2)})
    [('a', 'c')]
    """
    whose: dict[str, list[str]] = {}
    for name in sorted(prints):
        if prints[name]:
            whose.setdefault(prints[name], []).append(name)
    pairs = {(a, b) for names in whose.values() for a, b in combinations(names, 2)}
    different = sorted(whose)
    bits = {one: bytes.fromhex(one.partition(":")[2]) for one in different}
    edges = np.linspace(0, N_BITS // 8, NEAR + 2).astype(int)
    near: set[tuple[str, str]] = set()
    for start, stop in pairwise(edges):
        alike: dict[tuple[str, bytes], list[str]] = {}
        for one in different:
            length = one.partition(":")[0]
            alike.setdefault((length, bits[one][start:stop]), []).append(one)
        for group in alike.values():
            near |= {
                (a, b) for a, b in combinations(group, 2)
                if (a, b) not in near and _differ(bits[a], bits[b]) <= NEAR
            }  # fmt: skip
    for a, b in near:
        pairs |= {(min(x, y), max(x, y)) for x in whose[a] for y in whose[b]}
    return sorted(pairs)


def _differ(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def _by_length(prints: Collection[str] | Mapping[str, str]) -> dict[str, list[str]]:
    """Return the keys, or the fingerprints themselves, by the length of their signals."""
    items = prints.items() if isinstance(prints, Mapping) else ((one, one) for one in prints)
    found: dict[str, list[str]] = {}
    for name, one in items:
        if one:
            found.setdefault(one.partition(":")[0], []).append(name)
    return found


def _bits(prints: Collection[str]) -> NDArray[np.float32]:
    rows = [np.frombuffer(bytes.fromhex(one.partition(":")[2]), np.uint8) for one in prints]
    signs: NDArray[np.float32] = np.unpackbits(np.stack(rows), axis=1) * np.float32(2) - 1
    return signs


@lru_cache(maxsize=4)
def _signs(length: int) -> NDArray[np.float32]:
    """Return the fixed signs, shape (N_BITS, length): the same on every machine, for ever."""
    raw = shake_256(f"cardio fingerprint {length}".encode()).digest(-(-N_BITS * length // 8))
    bits = np.unpackbits(np.frombuffer(raw, np.uint8))[: N_BITS * length]
    signs: NDArray[np.float32] = bits.reshape(N_BITS, length) * np.float32(2) - 1
    return signs
