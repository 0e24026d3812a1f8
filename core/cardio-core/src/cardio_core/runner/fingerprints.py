"""Short fingerprints of signals: who was trained on is known again by them, and by no name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import shake_256
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Whether two recordings are one signal: by what they look like, not by their files' bytes.

Floats = NDArray[np.float64]

N_BLOCKS = 4096
_LEAST, _DEEPEST = 64, 4


@dataclass(frozen=True)
class Seen:
    """What an opened recording looks like, and how it was acquired."""

    looks: Floats | None
    acquired: Mapping[str, float]


class Watched(Sequence[Any]):
    """Values of recordings that leave what each looks like in `seen` when they are opened."""

    def __init__(self, values: Any, seen: dict[int, Seen], places: Any = None) -> None:
        self._values, self._seen = values, seen
        self._places = np.arange(len(values)) if places is None else places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, position: Any) -> Any:
        places = self._places[position]
        if not isinstance(position, int | np.integer):
            return Watched(self._values, self._seen, places)
        value = self._values[int(places)]
        if int(places) not in self._seen:
            self._seen[int(places)] = Seen(print_of(value), acquired_of(value))
        return value


_ACQUISITION = ("rate_hz", "mm_per_pixel", "spacing_mm", "voxel_mm", "gain")
"""Ends of the names of public attributes that say how a recording was acquired."""


def acquired_of(value: Any) -> dict[str, float]:
    """Return how a recording was acquired: the shape of its largest array, rates, spacings, gain.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> acquired_of(SimpleNamespace(mv=np.zeros((12, 5000)), rate_hz=500.0))
    {'length of axis 1': 12.0, 'length of axis 2': 5000.0, 'rate_hz': 500.0}
    """
    stack = next((item for item in (value, *_parts(value)) if _is_stack(item)), None)
    if stack is not None:
        found = {"number of frames": float(stack.n_frames)}
    else:
        largest = max(_arrays(value, 0), key=lambda item: item.size, default=None)
        lengths = () if largest is None else largest.shape
        found = {f"length of axis {n}": float(item) for n, item in enumerate(lengths, start=1)}
    source = value if stack is None else stack
    keyed = isinstance(source, Mapping)
    names = [str(item) for item in (source if keyed else dir(source))]
    for name in sorted(item for item in names if item.endswith(_ACQUISITION) and item[0] != "_"):
        numbers = np.ravel(source[name] if keyed else getattr(source, name))
        if numbers.dtype.kind in "fiu":
            found |= {f"{name} {n}".removesuffix(" 1"): float(number)
                      for n, number in enumerate(numbers[:4], start=1)}  # fmt: skip
    return found


def print_of(value: Any) -> Floats | None:
    """Return block means of a recording's largest array, standardised; None where there is none.

    Of a stack whose frames are decoded on demand it is the first and the middle frame.

    Examples
    --------
    >>> signal = np.sin(np.arange(5000) / 7.0)
    >>> looks, other = print_of({"mv": signal}), print_of(signal.astype("float32") * 1000)
    >>> np.allclose(looks, other, atol=1e-4)
    True
    """
    stack = next((item for item in (value, *_parts(value)) if _is_stack(item)), None)
    if stack is not None:
        try:
            frames = [stack.frame(index) for index in sorted({0, int(stack.n_frames) // 2})]
        except Exception:  # a stranger's decoder: the frame is read again where it counts
            return None
        return _print(np.concatenate([np.asarray(frame, dtype=float).ravel() for frame in frames]))
    arrays = [item for item in _arrays(value, 0) if item.size >= _LEAST and not _is_axis(item)]
    return _print(max(arrays, key=lambda item: item.size).astype(float).ravel()) if arrays else None


def _is_stack(value: Any) -> bool:
    return callable(getattr(value, "frame", None)) and hasattr(value, "n_frames")


def _is_axis(values: NDArray[Any]) -> bool:
    """Return whether an array is a scale, as of time: that is the same for everybody."""
    return values.ndim == 1 and bool((np.diff(values.astype(float)) > 0).all())


def _print(values: Floats) -> Floats | None:
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    edges = np.linspace(0, len(values), min(N_BLOCKS, len(values)) + 1).astype(int)
    means = np.add.reduceat(values, edges[:-1]) / np.diff(edges)
    spread = float(means.std())
    return (means - means.mean()) / spread if spread > 0 else None


def _arrays(value: Any, depth: int) -> Iterator[NDArray[Any]]:
    if isinstance(value, np.ndarray):
        if np.issubdtype(value.dtype, np.number) and not np.iscomplexobj(value):
            yield value
        return
    if depth < _DEEPEST and not isinstance(value, str | bytes):
        for part in _parts(value):
            yield from _arrays(part, depth + 1)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list | tuple):
        return list(value[:1000])
    names = list(vars(value)) if hasattr(value, "__dict__") else []
    slots = getattr(type(value), "__slots__", ())
    names += [slots] if isinstance(slots, str) else list(slots)
    return [getattr(value, name, None) for name in names]


N_BITS = 1024
NEAR = 16
"""Bits of `N_BITS` in which fingerprints of one signal may differ. A copy in another format or gain
(correlation 0.9999) differs in 5 on average, two signals that correlate by 0.99 in 46."""


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
            differ = (N_BITS - _bits([new[item] for item in own]) @ theirs) / 2
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
    """
    whose: dict[str, list[str]] = {}
    for name in sorted(prints):
        if prints[name]:
            whose.setdefault(prints[name], []).append(name)
    pairs = {(a, b) for names in whose.values() for a, b in combinations(names, 2)}
    different = sorted(whose)
    bits = {item: bytes.fromhex(item.partition(":")[2]) for item in different}
    edges = np.linspace(0, N_BITS // 8, NEAR + 2).astype(int)
    near: set[tuple[str, str]] = set()
    for start, stop in pairwise(edges):
        alike: dict[tuple[str, bytes], list[str]] = {}
        for entry in different:
            length = entry.partition(":")[0]
            alike.setdefault((length, bits[entry][start:stop]), []).append(entry)
        for group in alike.values():
            near |= {
                (a, b) for a, b in combinations(group, 2)
                if (a, b) not in near and _differ(bits[a], bits[b]) <= NEAR
            }  # fmt: skip
    for a, b in near:
        pairs |= {(min(x, y), max(x, y)) for x in whose[a] for y in whose[b]}
    return sorted(pairs)


def _differ(item: bytes, other: bytes) -> int:
    return (int.from_bytes(item) ^ int.from_bytes(other)).bit_count()


def _by_length(prints: Collection[str] | Mapping[str, str]) -> dict[str, list[str]]:
    """Return the keys, or the fingerprints themselves, by the length of their signals."""
    items = prints.items() if isinstance(prints, Mapping) else ((item, item) for item in prints)
    found: dict[str, list[str]] = {}
    for name, entry in items:
        if entry:
            found.setdefault(entry.partition(":")[0], []).append(name)
    return found


def _bits(prints: Collection[str]) -> NDArray[np.float32]:
    rows = [np.frombuffer(bytes.fromhex(item.partition(":")[2]), np.uint8) for item in prints]
    signs: NDArray[np.float32] = np.unpackbits(np.stack(rows), axis=1) * np.float32(2) - 1
    return signs


@lru_cache(maxsize=4)
def _signs(length: int) -> NDArray[np.float32]:
    """Return the fixed signs, shape (N_BITS, length): the same on every machine, for ever."""
    raw = shake_256(f"cardio fingerprint {length}".encode()).digest(-(-N_BITS * length // 8))
    bits = np.unpackbits(np.frombuffer(raw, np.uint8))[: N_BITS * length]
    signs: NDArray[np.float32] = bits.reshape(N_BITS, length) * np.float32(2) - 1
    return signs
