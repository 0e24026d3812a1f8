"""Changes of valid files, by kind: what is damaged at random, and always in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .containers import any_of, dicom, gzip_, npy, safetensors, zip_
from .plain import OF_BYTES, OF_TEXT, Change, bits
from .texts import csv_, json_, xml, yaml_

FOLDER = 0.003
"""The share of cases in which a folder lies where the file should be."""

_IN_ZIP = {"npy": (npy, npy, *OF_BYTES), "json": (json_, json_, *OF_TEXT)}


def _inside(name: str) -> Change:
    return any_of(_IN_ZIP.get(name.rpartition(".")[2], OF_BYTES))


KINDS: dict[str, tuple[Change, ...]] = {
    "bytes": OF_BYTES,
    "text": OF_TEXT,
    "json": (json_,) * 14 + OF_TEXT,
    "yaml": (yaml_,) * 14 + OF_TEXT,
    "csv": (csv_,) * 14 + OF_TEXT,
    "xml": (xml,) * 14 + OF_TEXT,
    "dicom": (dicom,) * 14 + OF_BYTES,
    "zip": (zip_(_inside),) * 14 + OF_BYTES,
    "gzip": (gzip_,) * 14 + OF_BYTES,
    "npy": (npy,) * 8 + OF_BYTES,
    "safetensors": (safetensors,) * 14 + OF_BYTES,
}
"""What is done to a file of each kind, the likelier the oftener it stands here."""


def damaged(data: bytes, kind: str, others: Sequence[bytes], rng: Random) -> bytes | None:
    """Return a file's bytes changed once to four times; None for a folder in its place."""
    if rng.random() < FOLDER:
        return None
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        try:
            data = rng.choice(KINDS[kind])(data, others, rng)
        except (ArithmeticError, LookupError, RecursionError, ValueError):  # too damaged for it
            data = bits(data, others, rng)
    return data
