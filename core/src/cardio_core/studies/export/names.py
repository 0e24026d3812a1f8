"""Every name by which a run knows its patients, and the search for them in what is to leave it."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cardio_core.errors import ConfigError, DataError
from cardio_core.io.kept.models import SEEN
from cardio_core.io.kept.predictions import read_predictions
from cardio_core.io.kept.results import COHORT
from cardio_core.runner.manifest import Manifest
from cardio_core.studies.export.damaged import looking_into
from cardio_core.types.unpacking.fitting import require_fitting

_ID_COLUMNS = ("sample_id", "study_id", "patient_id")
_WORD = re.compile(r"[^\W_]+(?:[._-][^\W_]+)*")
_SHORT, _WORDY, _NUMBER = 3, 5, 5


@dataclass(frozen=True)
class Names:
    """Names of patients, recordings and files of a run.

    Attributes
    ----------
    ids : frozenset of str
        All of them.
    distinct : frozenset of str
        Those that no other text is likely to hold by chance: with letters and digits, of five
        digits or more, or a capitalised word of five letters or more.
    """

    ids: frozenset[str]
    distinct: frozenset[str]

    def search(self, path: Path) -> int:
        """Return how many of the names a file holds in its texts."""
        found: set[str] = set()
        odd = {name for name in self.distinct if not _WORD.fullmatch(name)}
        for text in texts_of(path):
            found |= self.distinct & words_in(text)
            found |= {name for name in odd if name in text}
        return len(found)


def names_of(run: Path) -> Names:
    """Collect every name that a run wrote down, of the runs that it made first included.

    Words that the plugin itself publishes (of its configurations, say) are told apart by the
    caller: see `without`.
    """
    found: set[str] = set()
    for path in (run / "cohort.json", *run.glob("needs/**/cohort.json")):
        if path.is_file():
            stored = COHORT.read(path)
            for key in ("recordings", "patients", "subjects", "files"):
                found |= set(map(str, stored.get(key) or ()))
    for path in (run / "models").rglob("seen.json"):
        found |= set(map(str, SEEN.read(path)["subjects"]))
    for path in (run / "predictions.csv", *run.glob("needs/**/predictions.csv")):
        if path.is_file():
            table = read_predictions(path)
            for name in _ID_COLUMNS:
                found |= set(table[name].dropna())
    manifest = Manifest.open(run).content
    found |= {str(row.get("recording_id")) for row in manifest.get("quarantined") or ()}
    found |= {str(one) for ids in (manifest.get("excluded") or {}).values() for one in ids}
    # What each name is made of, too: the person of "C01r0.csv;C02r0.csv" is in its parts.
    parts = {part for name in found for part in re.split(r"[;/\\|^ ]", name)}
    distinct = frozenset(name for name in found | parts if _is_distinct(name))
    return Names(frozenset(found), distinct)


def without(names: Names, texts: Iterable[str]) -> Names:
    """Return the names less the words of texts that name no patient (a plugin's own)."""
    own = {word for text in texts for word in words_in(text)}
    return Names(names.ids, names.distinct - own)


def words_in(text: str) -> set[str]:
    """Return the words of a text: whole ones, and what they are made of at hyphens and dots.

    Examples
    --------
    >>> sorted(words_in("fold r0-f3 of P_017.csv"))
    ['017', '017.csv', 'P', 'P_017', 'P_017.csv', 'csv', 'f3', 'fold', 'of', 'r0', 'r0-f3']
    """
    found: set[str] = set()
    for match in _WORD.finditer(text):
        whole = match.group()
        if whole in found:
            continue
        pieces = re.split(r"([._-])", whole)
        starts = range(0, len(pieces), 2)
        found |= {
            "".join(pieces[first : last + 1])
            for first in starts
            for last in starts
            if last >= first
        }
    return found


def _is_distinct(name: str) -> bool:
    if len(name) < _SHORT or name != name.strip():
        return False
    digits, letters = any(map(str.isdigit, name)), any(map(str.isalpha, name))
    if digits:
        return letters or len(name) >= _NUMBER
    return len(name) >= _WORDY and name[0].isupper()


def texts_of(path: Path) -> Iterator[str]:
    """Yield every text in a file of an exported folder, unpacked and decoded.

    Raises
    ------
    ConfigError
        If the file is of a kind that cannot be looked into.
    DataError
        If it is damaged.
    """
    require_fitting([path])
    yield path.name
    with looking_into(path.name):
        yield from _texts(path.name, path.read_bytes())


def _texts(name: str, content: bytes) -> Iterator[str]:
    suffix = Path(name).suffix
    if suffix in (".json", ".yaml", ".md"):
        text = content.decode("utf-8")
        yield text
        if suffix == ".json":
            yield from _strings(json.loads(text))  # escaped letters, decoded
    elif suffix == ".safetensors":
        (length,) = struct.unpack("<Q", content[:8])
        yield from _strings(json.loads(content[8 : 8 + length]))
    elif suffix in (".skops", ".npz"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield member
                yield from _texts(member, archive.read(member))
    elif suffix == ".npy":
        yield from _array(name, content)
    elif suffix == ".onnx":
        yield from (found.decode("ascii") for found in re.findall(rb"[\x20-\x7e]{6,}", content))
    else:
        raise ConfigError(f"{name}: a file of this kind cannot be looked into for patients")


def _array(name: str, content: bytes) -> Iterator[str]:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except ValueError as error:
        raise DataError(
            f"{name}: expected an array of numbers or texts, found Python objects; it stays here"
        ) from error
    fields = [array[one] for one in array.dtype.names] if array.dtype.names else [array]
    for field in fields:
        if field.dtype.kind in "US":
            text = field.astype(str) if field.dtype.kind == "U" else np.char.decode(field, "latin1")
            yield from text.ravel().tolist()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
