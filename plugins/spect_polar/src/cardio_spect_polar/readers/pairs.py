"""Rest and stress of one patient, among studies that no table ties together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from cardio_spect_polar.readers.find import GatedFiles
from cardio_spect_polar.readers.nifti.gate_names import stem_of
from cardio_spect_polar.readers.state import without_state


def rest_of_stress(studies: Sequence[GatedFiles]) -> dict[int, int]:
    """Tell which studies are stress and rest of one patient.

    By the examination of the DICOM header, else by its patient, else by names that differ in the
    words for rest and stress alone (``p7_rest.nii``, ``p7_stress.nii``; ``rest/p7.nii``,
    ``stress/p7.nii``). Only one rest and one stress are a pair: of three studies under one id
    nothing tells which two belong together. Where headers name different patients, names do not
    make them one.

    Parameters
    ----------
    studies : sequence of GatedFiles
        As `find_gated` returns them.

    Returns
    -------
    dict of int to int
        From the place of each stress study to that of its rest.

    Examples
    --------
    >>> from pathlib import Path
    >>> names = ["a/p7_stress.nii", "a/p7_rest.nii", "a/p8_stress.nii", "b/p8_rest.nii"]
    >>> states = ["stress", "rest", "stress", "rest"]
    >>> rest_of_stress([
    ...     GatedFiles(name, (Path(name),), state, (), Path("x.json"))
    ...     for name, state in zip(names, states)
    ... ])
    {0: 1}
    """
    pairs: dict[int, int] = {}
    for key in (_examination, _patient, _name):
        paired = {*pairs, *pairs.values()}
        groups: defaultdict[object, list[int]] = defaultdict(list)
        for place, study in enumerate(studies):
            found = key(study)
            if found and place not in paired:
                groups[found].append(place)
        for places in groups.values():
            by_state = {studies[place].state: place for place in places}
            if len(places) == 2 and set(by_state) == {"rest", "stress"}:
                stress, rest = by_state["stress"], by_state["rest"]
                if not _contradict(studies[stress], studies[rest]):
                    pairs[stress] = rest
    return dict(sorted(pairs.items()))


def _examination(study: GatedFiles) -> object:
    return study.examination


def _patient(study: GatedFiles) -> object:
    return study.patient


def _name(study: GatedFiles) -> object:
    name = study.id.rpartition("/")[2] if study.gates else stem_of(study.files[0])
    return (without_state(study.files[0].parent.as_posix()), without_state(name))


def _contradict(one: GatedFiles, other: GatedFiles) -> bool:
    """Whether both headers name a patient, and not the same."""
    return bool(one.patient and other.patient and one.patient != other.patient)
