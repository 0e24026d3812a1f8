"""The synthetic twins: gated left ventricles and flow maps with known truth.

A digital left ventricle (`ventricle`, `wall_motion`) is imaged by a gamma camera (`imaging`) and
written as DICOM (`write_nm`); `synthesize` writes cohorts with their truth beside them. Nothing
heavy is imported here.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardio_spect_polar.synthetic.phantom.imaging import Camera as Camera
    from cardio_spect_polar.synthetic.phantom.imaging import image as image
    from cardio_spect_polar.synthetic.phantom.truth import Truth as Truth
    from cardio_spect_polar.synthetic.phantom.ventricle import Ventricle as Ventricle
    from cardio_spect_polar.synthetic.phantom.ventricle import draw_ventricle as draw_ventricle

KINDS = ("crt", "flow")
DIFFICULTIES = ("easy", "medium", "impossible")

_KIND_OF_TASK = {"crt_response": "crt", "mfr": "flow", "risk_factor": "flow"}
_HOMES = {
    "Camera": "imaging",
    "image": "imaging",
    "Truth": "truth",
    "Ventricle": "ventricle",
    "draw_ventricle": "ventricle",
}


def __getattr__(name: str) -> Any:
    """Import the twin's parts when they are first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def synthesize(
    out_dir: str | Path,
    *,
    kind: str,
    n_patients: int | None = None,
    seed: int = 0,
    difficulty: str | None = None,
    null: bool = False,
) -> None:
    """Write a synthetic cohort; the same arguments write the same bytes.

    Parameters
    ----------
    out_dir : str or Path
        Folder, made if it is not there.
    kind : {'crt', 'flow'}
        ``crt`` is a cohort table with gated studies as DICOM (`crt_cohort`), ``flow`` one with
        PET flow maps (`flow`).
    n_patients : int, optional
        100 CRT patients, or as many flow patients as `flow` says.
    seed : int
        From 0.
    difficulty : {'easy', 'medium', 'impossible'}, optional
        Of CRT: sets the Bayes AUC that ``truth.json`` states, about .90, .75 and .55; medium
        unless told otherwise.
    null : bool
        Of CRT: draw responses that have nothing to do with the heart, a Bayes AUC of .5.

    Raises
    ------
    DataError
        A kind, a difficulty or a number that does not exist.

    Examples
    --------
    >>> import json, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     synthesize(folder, kind="crt", n_patients=2, null=True)
    ...     truth = json.loads((Path(folder) / "truth.json").read_text())
    ...     names = sorted(path.name for path in (Path(folder) / "spect").iterdir())
    >>> truth["bayes_auc"], names
    ({'response': 0.5}, ['p001_rest.dcm', 'p002_rest.dcm'])
    """
    from cardio_core.api import DataError, synthetic_folder

    if kind == "flow" and (difficulty is not None or null):
        raise DataError(
            "synthetic twin: expected no difficulty and no null for kind flow, found one; leave "
            "it out"
        )
    folder = synthetic_folder(
        out_dir,
        n_patients,
        kind=(kind, KINDS),
        difficulty=(difficulty or "medium", DIFFICULTIES),
    )
    if kind == "crt":
        from cardio_spect_polar.synthetic.crt import cohort as crt_cohort

        crt_cohort.write_crt_cohort(
            folder,
            n_patients or crt_cohort.N_PATIENTS,
            seed,
            difficulty=difficulty or "medium",
            null=null,
        )
    else:
        from cardio_spect_polar.synthetic.flow import cohort as flow

        flow.write_flow_cohort(folder, n_patients or flow.N_PATIENTS, seed)


def synthesize_task(
    out_dir: Path, *, task: str, n_patients: int | None = None, seed: int = 0
) -> None:
    """Write the cohort that a task of this plugin runs on without data of its own."""
    synthesize(out_dir, kind=_KIND_OF_TASK[task], n_patients=n_patients, seed=seed)
