"""Recordings and the samples cut from them, with the values that belong to each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from cardio_core.errors import Code, ContractError, DataError, MadeWrongError
from cardio_core.types.limits import require_fitting
from cardio_core.types.notes import Exclusion, Note
from cardio_core.types.redaction import files_in, unreadable

ID_COLUMNS = ("recording_id", "study_id", "patient_id")


@dataclass(frozen=True)
class Opened(Sequence[Any]):
    """Values that are opened when they are asked for.

    Attributes
    ----------
    sources : tuple
        What `open` takes, one a sample: a path, or several where a recording is several files.
    open : callable
        From a source to its value; raises `DataError` where it is unusable. Whatever else it
        raises is a `DataError` too, in our words and without the names of the files. It is not
        called for files that are, or would unpack to be, too large.
    """

    sources: tuple[Any, ...]
    open: Callable[[Any], Any]

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, int | np.integer):
            source = self.sources[int(position)]
            try:
                require_fitting(files_in(source))
                return self.open(source)
            except Exception as error:  # readers of others raise anything at a damaged file
                raise unreadable(error, files_in(source)) from error
        chosen = np.arange(len(self.sources))[position]
        return Opened(tuple(self.sources[i] for i in chosen), self.open)


@dataclass(frozen=True)
class SampleSet:
    """Samples with their identity and their values.

    Attributes
    ----------
    table : DataFrame, one row a sample, indexed by `sample_id`
        Columns recording_id, study_id, patient_id (str); `time_s` (float, seconds from the start
        of the recording) where samples were cut; further columns are the plugin's own.
        After `load` there is one sample a recording and its id is the recording's.
    values : sequence aligned with the table
        An array whose first axis is the sample, or anything that is opened on demand.

    Examples
    --------
    >>> ids = {"recording_id": ["r1", "r2"], "study_id": ["s1", "s2"], "patient_id": ["p1", "p2"]}
    >>> table = pd.DataFrame(ids, index=pd.Index(["r1", "r2"], name="sample_id"))
    >>> samples = SampleSet(table, np.zeros((2, 12, 5000)))
    >>> beats = samples.cut(["r2"], [np.array([0.4, 1.2])], np.zeros((2, 12, 300)))
    >>> beats.table["patient_id"].to_dict()
    {'r2#0': 'p2', 'r2#1': 'p2'}
    """

    table: pd.DataFrame
    values: Sequence[Any] | np.ndarray[Any, Any]

    def __post_init__(self) -> None:
        missing = [column for column in ID_COLUMNS if column not in self.table.columns]
        if missing:
            raise MadeWrongError(f"the table of a SampleSet lacks the columns {missing}; add them")
        if len(self.values) != len(self.table):
            raise MadeWrongError(
                f"a SampleSet of {len(self.table)} samples has {len(self.values)} values; give one "
                "a sample"
            )
        if not self.table.index.is_unique:
            n_twice = int(self.table.index.duplicated().sum())
            raise MadeWrongError(
                f"a SampleSet of {len(self.table)} samples has {n_twice} ids that stand twice; "
                "name each sample apart"
            )

    def __len__(self) -> int:
        return len(self.table)

    def take(self, positions: Any) -> SampleSet:
        """Return the samples at these positions, in this order."""
        return SampleSet(self.table.iloc[positions], self.values[positions])

    @classmethod
    def opening(
        cls, table: pd.DataFrame, sources: Sequence[Any], opener: Callable[[Any], Any]
    ) -> SampleSet:
        """Return samples whose values are opened when they are asked for, one patient at a time.

        Parameters
        ----------
        table : DataFrame
            As of the attribute, indexed by `sample_id`.
        sources : sequence
            What `opener` takes, one a sample: a path, or several where a recording is that.
        opener : callable
            From a source to its value, which keeps no path: `preprocess` gets the values alone.
            Raises `DataError` where it is unusable. Must be importable (a function of a module, or
            a `functools.partial` of one), because patients go to other processes.
        """
        return cls(table, Opened(tuple(sources), opener))

    def cut(
        self,
        recording_ids: Sequence[str],
        times_s: Sequence[np.ndarray[Any, Any]],
        values: np.ndarray[Any, Any],
        columns: Mapping[str, np.ndarray[Any, Any]] | None = None,
    ) -> SampleSet:
        """Cut samples ``recording#n`` from these recordings, at the given times.

        Parameters
        ----------
        recording_ids : sequence of str
            The recordings that samples come from; study and patient pass on to their samples.
        times_s : sequence of ndarray of float
            For each of them, the sample times in seconds, ascending.
        values : ndarray, shape (n_samples, ...)
            Values of all samples, recording after recording.
        columns : mapping of str to ndarray of shape (n_samples,), optional
            Further columns of the sample table.

        Returns
        -------
        SampleSet
            With ids ``"100#0"``, ``"100#1"``, ...
        """
        by_recording = self.table.set_index("recording_id")
        frames = []
        for recording_id, times in zip(recording_ids, times_s, strict=True):
            parent = by_recording.loc[recording_id]
            own = {
                "recording_id": recording_id,
                "study_id": parent["study_id"],
                "patient_id": parent["patient_id"],
                "time_s": np.asarray(times, dtype=float),
            }
            ids = [f"{recording_id}#{n}" for n in range(len(times))]
            frames.append(pd.DataFrame(own, index=ids))
        empty = pd.DataFrame({name: [] for name in (*ID_COLUMNS, "time_s")})
        table = pd.concat(frames) if frames else empty
        table.index.name = "sample_id"
        # Column after column would fragment a table of a hundred of them.
        further = pd.DataFrame(dict(columns or {}), index=table.index)
        retained = table.drop(columns=table.columns.intersection(further.columns))
        return SampleSet(pd.concat([retained, further], axis=1), values)

    def opened(self, quarantine: Callable[[str, DataError], None]) -> Iterator[tuple[str, Any]]:
        """Yield (recording_id, value), quarantining each recording that cannot be opened.

        Parameters
        ----------
        quarantine : callable
            `ctx.quarantine`: takes the recording's id and the error.
        """
        for position, recording_id in enumerate(self.table["recording_id"]):
            try:
                value = self.values[position]
            except DataError as error:
                quarantine(str(recording_id), error)
                continue
            yield str(recording_id), value


@dataclass(frozen=True)
class Quarantined:
    """A recording that could not be used, and why.

    Attributes
    ----------
    recording_id, hook, reason : str
    files : tuple of Path
        The recording's, where they are known; they go to no output but ``--mapping``.
    code : Code
        What programs go by; `reason` is for people.
    """

    recording_id: str
    hook: str
    reason: str
    files: tuple[Path, ...] = ()
    code: Code = "unusable"

    @property
    def exclusion(self) -> Exclusion:
        """Why it is not used."""
        return Exclusion(self.code, self.reason)

    def cells(self) -> dict[str, str]:
        """Return what may be written of it: everything but the files."""
        return {name: value for name, value in vars(self).items() if name != "files"}


@dataclass(frozen=True)
class FileSeen:
    """One file of the inputs, and what it was taken for.

    Attributes
    ----------
    path : Path
        Goes to no output but the one that a user asks for (``--mapping``).
    kind : str
        In words: ``"2D loop"``, ``"still"``, ``"PDF"``.
    recording_id, study_id : str
        Of the recording that it is; empty where it is none.
    why : str
        Why it is not used, where its kind does not say so already.
    """

    path: Path
    kind: str
    recording_id: str = ""
    study_id: str = ""
    why: str = ""


@dataclass(frozen=True)
class Fact:
    """One thing that has to be known of a recording beside its samples: a pixel size, say.

    Attributes
    ----------
    name : str
        Its column in the table that a person fills in, with the unit: ``"mm_per_pixel"``.
    title : str
        For people, with the unit.
    value : str
        As the file, or a person, says it; empty where nobody does.
    source : str
        Who says it, or what is known instead of it.
    missing : bool
        Whether a person is asked for it.
    option : str
        The option that states it for all recordings: ``"--mm-per-pixel ROW,COLUMN"``.
    without : str
        What is made of a recording without it.

    Examples
    --------
    >>> pixel = Fact("mm_per_pixel", "Pixel size (mm)", missing=True, without="no distance in mm")
    >>> pixel.missing, pixel.value
    (True, '')
    """

    name: str
    title: str
    value: str = ""
    source: str = ""
    missing: bool = False
    option: str = ""
    without: str = ""


@dataclass(frozen=True)
class Cohort:
    """What `load` found.

    Attributes
    ----------
    samples : SampleSet
        One row a recording. The table may carry `site_id`, `subject_link`, `scanner_id` and
        `timepoint`; never anything that tells the label.
    files : mapping of recording_id to tuple of Path
        The files behind each recording, whose content decides about the cache.
    targets : Targets or None
        What is to be predicted; None in predict mode.
    table : DataFrame or None
        The clinical cohort table, one row a study, indexed by `study_id`; seen by `evaluate` only.
    quarantined : tuple of Quarantined
        What `load` itself could not use; the core adds what went to `ctx.quarantine`.
    notes : tuple of Note
        Sentences for the report: what was left out by design, and why.
    unsupported : mapping of str to str
        Models that this cohort cannot support, each with the reason: the label already
        contains what the model looks at, say. They are left out, and the report says why.
    outcome : str
        One sentence on what the targets are and how they came about, for the head of the report:
        a stand-in must not be read as the real thing.
    excluded : mapping of str to tuple of str
        Recordings that were usable and are left out by design: reason to ids. Each reason is a
        station of the flow diagram, between what was found and what was used. A row of the cohort
        table that is neither kept, quarantined nor here is told by the core: at follow-up, without
        a recording, or left out without a reason.
    seen : tuple of FileSeen
        Every file of the inputs that were searched, in their order: `cardio predict`, `cardio
        measure` and `cardio data check` account for each. Empty where nothing is searched.
    together : bool
        Whether the recordings of a study show the same thing, so that `cardio measure` says one
        line a study: the median of its recordings.
    facts : mapping of recording_id to tuple of Fact
        Of new recordings, what has to be known beside their samples, by header alone: `cardio
        measure` asks for all that is missing at once, before anything is decoded.
    """

    samples: SampleSet
    files: Mapping[str, tuple[Path, ...]]
    targets: Any = None
    table: pd.DataFrame | None = None
    quarantined: tuple[Quarantined, ...] = ()
    notes: tuple[Note, ...] = field(default=())
    unsupported: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seen: tuple[FileSeen, ...] = ()
    together: bool = False
    facts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)

    def own_files(self, recording_id: str) -> tuple[Path, ...]:
        """Return the files of a recording that no other patient's can equal.

        A JSON beside a recording is not among them: it states a frame rate, say, and is the same
        for everybody whom one scanner recorded.

        Examples
        --------
        >>> table = pd.DataFrame(
        ...     {name: ["a"] for name in ID_COLUMNS}, index=pd.Index(["a"], name="sample_id")
        ... )
        >>> files = {"a": (Path("a.avi"), Path("a.json"))}
        >>> [path.name for path in Cohort(SampleSet(table, [0]), files).own_files("a")]
        ['a.avi']
        """
        return tuple(path for path in self.files[recording_id] if path.suffix.lower() != ".json")


# What `preprocess` and `featurize` are given: values that the core opens, and no path.

_DEEPEST = 4
_MOST_ITEMS = 1000


class Sealed(Sequence[Any]):
    """Values that are opened when they are asked for, and say nothing of where they come from.

    Parameters
    ----------
    values : sequence
        What `load` left, `SampleSet.opening` say.

    Raises
    ------
    ContractError
        When a value is asked for that shows a path: with it, a hook could find the cohort table,
        and in it the label. What begins with an underscore is not looked at, so that a value may
        keep its file to decode frames from it later.

    Examples
    --------
    >>> from cardio_core.types.samples import Opened
    >>> values = Sealed(Opened(("a.csv", "b.csv"), str.upper))
    >>> len(values), values[1], list(values[:1])
    (2, 'B.CSV', ['A.CSV'])
    >>> values.sources
    Traceback (most recent call last):
    AttributeError: values have no 'sources'; the core opens them: values[i], len(values)
    """

    __slots__ = ("_get", "_length")

    def __init__(self, values: Any) -> None:
        self._length = len(values)

        def get(position: Any) -> Any:
            return values[position]

        self._get = get

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: Any) -> Any:
        value = self._get(position)
        if not isinstance(position, int | np.integer):
            return Sealed(value)
        where = next(paths_in(value, "the value"), None)
        if where is not None:
            raise ContractError(
                f"{where} shows a path, from which a hook could find the cohort table; let the "
                "opener return what it read (arrays, numbers, text), or keep a file from which "
                "frames are decoded later in an attribute that begins with an underscore"
            )
        return value

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"values have no {name!r}; the core opens them: values[i], len(values)"
        )


def sealed(samples: SampleSet) -> SampleSet:
    """Return the same samples with values that tell nothing of their files.

    An array of numbers stays what it is.
    """
    values = samples.values
    plain = isinstance(values, np.ndarray) and values.dtype != object
    table = samples.table.copy()
    table.attrs = {}
    return SampleSet(table, values if plain or isinstance(values, Sealed) else Sealed(values))


def column_with_path(table: pd.DataFrame) -> str | None:
    """Return the first column of a sample table in which a path stands; None if there is none.

    Examples
    --------
    >>> from pathlib import Path
    >>> table = pd.DataFrame({"site": ["a/b"], "file": [Path("a.csv")], "age_y": [60.0]})
    >>> column_with_path(table), column_with_path(table[["site", "age_y"]])
    ('file', None)
    """
    for name, column in table.items():
        texts = column.dtype == object or isinstance(
            column.dtype, pd.StringDtype | pd.CategoricalDtype
        )
        if texts and any(next(paths_in(cell, ""), None) is not None for cell in _different(column)):
            return str(name)
    return None


def _different(column: pd.Series[Any]) -> list[Any]:
    """Return the different cells of a column; all of them where they cannot be compared."""
    try:
        return list(column.unique())
    except TypeError:
        return list(column)


def paths_in(value: Any, where: str, depth: int = 0) -> Iterator[str]:
    """Yield the places in a value at which a path, or the text of one that exists, can be read.

    Containers and public attributes are looked through, four deep.

    Examples
    --------
    >>> from pathlib import Path
    >>> list(paths_in({"signal": np.zeros(3), "file": Path("a.csv")}, "the value"))
    ["the value['file']"]
    """
    if isinstance(value, os.PathLike) or (isinstance(value, str) and _is_path(value)):
        yield where
        return
    if depth == _DEEPEST or isinstance(value, str | bytes | int | float | complex | None):
        return
    for place, inner in _inside(value, where):
        yield from paths_in(inner, place, depth + 1)


def _is_path(text: str) -> bool:
    """Whether a text with a separator names something that exists; a bare word may, by chance."""
    parted = os.sep in text or (os.altsep is not None and os.altsep in text)
    return parted and len(text) < 4096 and text.isprintable() and os.path.exists(text)  # noqa: PTH110


def _inside(value: Any, where: str) -> list[tuple[str, Any]]:
    if isinstance(value, np.ndarray):
        items = enumerate(value.ravel()[:_MOST_ITEMS]) if value.dtype.kind in "OU" else ()
        return [(f"{where}[{n}]", item) for n, item in items]
    if isinstance(value, Mapping):
        pairs = list(value.items())[:_MOST_ITEMS]
        keys = [(f"a key of {where}", key) for key, _ in pairs]
        return [*keys, *((f"{where}[{key!r}]", item) for key, item in pairs)]
    if isinstance(value, tuple | list | set | frozenset):
        items = enumerate(list(value)[:_MOST_ITEMS])
        named = getattr(value, "_fields", None)
        return [(f"{where}.{named[n]}" if named else f"{where}[{n}]", item) for n, item in items]
    if isinstance(value, pd.DataFrame):
        return [(f"{where}[{name!r}]", column.to_numpy()) for name, column in value.items()]
    if isinstance(value, pd.Series):
        return [(where, value.to_numpy())]
    slots = getattr(type(value), "__slots__", ())
    names = [*getattr(value, "__dict__", ()), *((slots,) if isinstance(slots, str) else slots)]
    public = [name for name in names if not name.startswith("_")]
    return [(f"{where}.{name}", getattr(value, name, None)) for name in public]
