"""Ultrasound loops read, de-identified, drawn and written: all that a plugin may import of it.

Names are resolved when they are first used, so that importing this package costs nothing.

Examples
--------
>>> from cardio_core.ultrasound import Box
>>> Box(top=10, bottom=200, left=20, right=300).height
190
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardio_core.testing.echo_export import WrittenExport as WrittenExport
    from cardio_core.testing.echo_export import damage as damage
    from cardio_core.testing.echo_export import write_echo_export as write_echo_export
    from cardio_core.ultrasound.deidentify.printed.r_peaks import (
        with_drawn_r_peaks as with_drawn_r_peaks,
    )
    from cardio_core.ultrasound.deidentify.sector_fit import fit_sector as fit_sector
    from cardio_core.ultrasound.deidentify.sector_hull import sector_hull as sector_hull
    from cardio_core.ultrasound.deidentify.sector_mask import TRIANGLE_KEPT as TRIANGLE_KEPT
    from cardio_core.ultrasound.deidentify.sector_mask import fixed_triangle as fixed_triangle
    from cardio_core.ultrasound.deidentify.sector_mask import sector_mask as sector_mask
    from cardio_core.ultrasound.drawn.ecg import read_drawn_ecg as read_drawn_ecg
    from cardio_core.ultrasound.loops.loop import Box as Box
    from cardio_core.ultrasound.loops.loop import Loop as Loop
    from cardio_core.ultrasound.loops.nameless import nameless as nameless
    from cardio_core.ultrasound.loops.r_peaks import find_r_waves as find_r_waves
    from cardio_core.ultrasound.loops.scan_conversion import scan_conversion as scan_conversion
    from cardio_core.ultrasound.loops.stated import read_r_times as read_r_times
    from cardio_core.ultrasound.loops.stated import sidecar_of as sidecar_of
    from cardio_core.ultrasound.phantoms.appearance import Look as Look
    from cardio_core.ultrasound.phantoms.burn_in import burn_in as burn_in
    from cardio_core.ultrasound.phantoms.conditions import Conditions as Conditions
    from cardio_core.ultrasound.phantoms.conditions import draw_conditions as draw_conditions
    from cardio_core.ultrasound.phantoms.conditions import renewed as renewed
    from cardio_core.ultrasound.phantoms.drawn_ecg import EcgLayout as EcgLayout
    from cardio_core.ultrasound.phantoms.drawn_ecg import draw_ecg as draw_ecg
    from cardio_core.ultrasound.phantoms.drawn_ecg import ecg_of_beats as ecg_of_beats
    from cardio_core.ultrasound.phantoms.echo import EchoScanner as EchoScanner
    from cardio_core.ultrasound.phantoms.echo import echo_frames as echo_frames
    from cardio_core.ultrasound.phantoms.screens.layouts import SCREEN_LAYOUTS as SCREEN_LAYOUTS
    from cardio_core.ultrasound.phantoms.screens.layouts import ScreenLayout as ScreenLayout
    from cardio_core.ultrasound.phantoms.screens.screen import Screen as Screen
    from cardio_core.ultrasound.phantoms.screens.screen import draw_screen as draw_screen
    from cardio_core.ultrasound.phantoms.sector import Sector as Sector
    from cardio_core.ultrasound.phantoms.shown import OnScreen as OnScreen
    from cardio_core.ultrasound.phantoms.shown import mirrored_px as mirrored_px
    from cardio_core.ultrasound.phantoms.shown import on_screen as on_screen
    from cardio_core.ultrasound.phantoms.speckle import PointSpread as PointSpread
    from cardio_core.ultrasound.phantoms.speckle import advect as advect
    from cardio_core.ultrasound.phantoms.speckle import draw_scatterers as draw_scatterers
    from cardio_core.ultrasound.phantoms.write_us import TracedEcg as TracedEcg
    from cardio_core.ultrasound.phantoms.write_us import write_us_loop as write_us_loop
    from cardio_core.ultrasound.readers.find import find_loops as find_loops
    from cardio_core.ultrasound.readers.read import read_loop as read_loop
    from cardio_core.ultrasound.studies.export import CellLoops as CellLoops
    from cardio_core.ultrasound.studies.export import FileSeen as FileSeen
    from cardio_core.ultrasound.studies.export import accounted as accounted
    from cardio_core.ultrasound.studies.export import ids_of_loops as ids_of_loops
    from cardio_core.ultrasound.studies.export import loops_of_cell as loops_of_cell
    from cardio_core.ultrasound.studies.export import nothing_in as nothing_in
    from cardio_core.ultrasound.studies.export import read_export as read_export
    from cardio_core.ultrasound.studies.export import strangers as strangers
    from cardio_core.ultrasound.views.names import VIEW_NAMES as VIEW_NAMES
    from cardio_core.ultrasound.views.names import VIEW_TITLES as VIEW_TITLES
    from cardio_core.ultrasound.views.seen import ViewSeen as ViewSeen
    from cardio_core.ultrasound.views.seen import view_of as view_of
    from cardio_core.ultrasound.views.seen import view_of_frames as view_of_frames

_HOME = {
    "deidentify.printed.r_peaks": ("with_drawn_r_peaks",),
    "deidentify.sector_fit": ("fit_sector",),
    "deidentify.sector_hull": ("sector_hull",),
    "deidentify.sector_mask": ("TRIANGLE_KEPT", "fixed_triangle", "sector_mask"),
    "drawn.ecg": ("read_drawn_ecg",),
    "loops.loop": ("Box", "Loop"),
    "loops.nameless": ("nameless",),
    "loops.r_peaks": ("find_r_waves",),
    "loops.scan_conversion": ("scan_conversion",),
    "loops.stated": ("read_r_times", "sidecar_of"),
    "phantoms.appearance": ("Look",),
    "phantoms.burn_in": ("burn_in",),
    "phantoms.conditions": ("Conditions", "draw_conditions", "renewed"),
    "phantoms.drawn_ecg": ("EcgLayout", "draw_ecg", "ecg_of_beats"),
    "phantoms.echo": ("EchoScanner", "echo_frames"),
    "phantoms.screens.layouts": ("SCREEN_LAYOUTS", "ScreenLayout"),
    "phantoms.screens.screen": ("Screen", "draw_screen"),
    "phantoms.sector": ("Sector",),
    "phantoms.shown": ("OnScreen", "mirrored_px", "on_screen"),
    "phantoms.speckle": ("PointSpread", "advect", "draw_scatterers"),
    "phantoms.write_us": ("TracedEcg", "write_us_loop"),
    "readers.find": ("find_loops",),
    "readers.read": ("read_loop",),
    "views.names": ("VIEW_NAMES", "VIEW_TITLES"),
    "views.seen": ("ViewSeen", "view_of", "view_of_frames"),
    "studies.export": (
        *("CellLoops", "FileSeen", "accounted", "ids_of_loops", "loops_of_cell", "nothing_in"),
        *("read_export", "strangers"),
    ),
}
_WHERE = {name: f"{__name__}.{home}" for home, names in _HOME.items() for name in names}

__all__ = sorted(_WHERE)

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker

    def __getattr__(name: str) -> Any:
        if name not in _WHERE:
            offered = ", ".join(__all__)
            raise AttributeError(f"cardio_core.ultrasound has no {name!r}; it offers {offered}")
        globals()[name] = value = getattr(import_module(_WHERE[name]), name)
        return value


def __dir__() -> list[str]:
    return __all__
