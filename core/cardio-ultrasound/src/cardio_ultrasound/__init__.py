"""Ultrasound loops read, de-identified, drawn and written: all that a plugin may import of it.

Names are resolved when they are first used, so that importing this package costs nothing.

Examples
--------
>>> from cardio_ultrasound import Box
>>> Box(top=10, bottom=200, left=20, right=300).height
190
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_stats._lazy import offer

if TYPE_CHECKING:
    from cardio_core.types.samples import FileSeen as FileSeen
    from cardio_ultrasound.cycle import CUT_SHORT as CUT_SHORT
    from cardio_ultrasound.cycle import FROM_MOTION as FROM_MOTION
    from cardio_ultrasound.cycle import LONG as LONG
    from cardio_ultrasound.cycle import MOST_BEATS as MOST_BEATS
    from cardio_ultrasound.cycle import NO_USUAL as NO_USUAL
    from cardio_ultrasound.cycle import PREMATURE as PREMATURE
    from cardio_ultrasound.cycle import TOO_LOW as TOO_LOW
    from cardio_ultrasound.cycle import Beats as Beats
    from cardio_ultrasound.cycle import Cycle as Cycle
    from cardio_ultrasound.cycle import CycleVolume as CycleVolume
    from cardio_ultrasound.cycle import cut_cycle as cut_cycle
    from cardio_ultrasound.cycle import find_beats as find_beats
    from cardio_ultrasound.deidentify.sector import FIXED_TRIANGLE as FIXED_TRIANGLE
    from cardio_ultrasound.deidentify.sector import fit_sector as fit_sector
    from cardio_ultrasound.deidentify.sector import fixed_triangle as fixed_triangle
    from cardio_ultrasound.deidentify.sector import sector_hull as sector_hull
    from cardio_ultrasound.deidentify.sector import sector_mask as sector_mask
    from cardio_ultrasound.ecg_trace import read_drawn_ecg as read_drawn_ecg
    from cardio_ultrasound.ecg_trace import with_drawn_r_peaks as with_drawn_r_peaks
    from cardio_ultrasound.facts import LoopFacts as LoopFacts
    from cardio_ultrasound.facts import LoopFactsBlock as LoopFactsBlock
    from cardio_ultrasound.facts import facts_of_loop as facts_of_loop
    from cardio_ultrasound.facts import stated_for as stated_for
    from cardio_ultrasound.loop import UNCONFIRMED as UNCONFIRMED
    from cardio_ultrasound.loop import Box as Box
    from cardio_ultrasound.loop import Loop as Loop
    from cardio_ultrasound.loop import nameless as nameless
    from cardio_ultrasound.loop import read_r_times as read_r_times
    from cardio_ultrasound.loop import sidecar_of as sidecar_of
    from cardio_ultrasound.mitral_plane import MitralPlane as MitralPlane
    from cardio_ultrasound.mitral_plane import follow_mitral_plane as follow_mitral_plane
    from cardio_ultrasound.mitral_plane import peak_offset as peak_offset
    from cardio_ultrasound.mitral_plane import smoothest_path as smoothest_path
    from cardio_ultrasound.options import LOOP_OPTIONS as LOOP_OPTIONS
    from cardio_ultrasound.r_peaks import find_r_waves as find_r_waves
    from cardio_ultrasound.readers.read import find_loops as find_loops
    from cardio_ultrasound.readers.read import read_loop as read_loop
    from cardio_ultrasound.scan_geometry import scan_conversion as scan_conversion
    from cardio_ultrasound.scan_lines import LATERAL as LATERAL
    from cardio_ultrasound.scan_lines import MIRRORED as MIRRORED
    from cardio_ultrasound.scan_lines import ScanLine as ScanLine
    from cardio_ultrasound.scan_lines import centre_index as centre_index
    from cardio_ultrasound.scan_lines import scan_line as scan_line
    from cardio_ultrasound.scan_lines import shifted_lines as shifted_lines
    from cardio_ultrasound.scan_lines import side_of_lv as side_of_lv
    from cardio_ultrasound.septum import N_POINTS as N_POINTS
    from cardio_ultrasound.septum import SURE as SURE
    from cardio_ultrasound.septum import PlacedSeptum as PlacedSeptum
    from cardio_ultrasound.septum import Septum as Septum
    from cardio_ultrasound.septum import Trust as Trust
    from cardio_ultrasound.septum import as_deep_as_usual as as_deep_as_usual
    from cardio_ultrasound.septum import find_septum as find_septum
    from cardio_ultrasound.septum import place_septum as place_septum
    from cardio_ultrasound.septum import require_inside as require_inside
    from cardio_ultrasound.septum import resample as resample
    from cardio_ultrasound.simulation.b_mode import EchoScanner as EchoScanner
    from cardio_ultrasound.simulation.b_mode import Look as Look
    from cardio_ultrasound.simulation.b_mode import PointSpread as PointSpread
    from cardio_ultrasound.simulation.b_mode import advect as advect
    from cardio_ultrasound.simulation.b_mode import draw_scatterers as draw_scatterers
    from cardio_ultrasound.simulation.ecg_trace import EcgLayout as EcgLayout
    from cardio_ultrasound.simulation.ecg_trace import draw_ecg as draw_ecg
    from cardio_ultrasound.simulation.echo_export import WrittenExport as WrittenExport
    from cardio_ultrasound.simulation.echo_export import damage as damage
    from cardio_ultrasound.simulation.echo_export import write_echo_export as write_echo_export
    from cardio_ultrasound.simulation.recording import Conditions as Conditions
    from cardio_ultrasound.simulation.recording import OnScreen as OnScreen
    from cardio_ultrasound.simulation.recording import burn_in as burn_in
    from cardio_ultrasound.simulation.recording import darker as darker
    from cardio_ultrasound.simulation.recording import draw_conditions as draw_conditions
    from cardio_ultrasound.simulation.recording import mirrored_px as mirrored_px
    from cardio_ultrasound.simulation.recording import on_screen as on_screen
    from cardio_ultrasound.simulation.recording import recorded as recorded
    from cardio_ultrasound.simulation.recording import renewed as renewed
    from cardio_ultrasound.simulation.screens import SCREEN_LAYOUTS as SCREEN_LAYOUTS
    from cardio_ultrasound.simulation.screens import Screen as Screen
    from cardio_ultrasound.simulation.screens import ScreenLayout as ScreenLayout
    from cardio_ultrasound.simulation.screens import draw_screen as draw_screen
    from cardio_ultrasound.simulation.sector import Sector as Sector
    from cardio_ultrasound.simulation.walls import LEAFLET_DB as LEAFLET_DB
    from cardio_ultrasound.simulation.walls import WallPlace as WallPlace
    from cardio_ultrasound.simulation.walls import bump as bump
    from cardio_ultrasound.simulation.walls import fade as fade
    from cardio_ultrasound.simulation.walls import from_ellipse as from_ellipse
    from cardio_ultrasound.simulation.walls import gaussian_waves as gaussian_waves
    from cardio_ultrasound.simulation.walls import glance_db as glance_db
    from cardio_ultrasound.simulation.walls import leaflet as leaflet
    from cardio_ultrasound.simulation.walls import mitral_leaflets as mitral_leaflets
    from cardio_ultrasound.simulation.walls import rise as rise
    from cardio_ultrasound.simulation.walls import thinned as thinned
    from cardio_ultrasound.simulation.walls import wall_place as wall_place
    from cardio_ultrasound.simulation.write_dicom import TracedEcg as TracedEcg
    from cardio_ultrasound.simulation.write_dicom import write_us_loop as write_us_loop
    from cardio_ultrasound.studies import CellLoops as CellLoops
    from cardio_ultrasound.studies import accounted as accounted
    from cardio_ultrasound.studies import ids_of_loops as ids_of_loops
    from cardio_ultrasound.studies import loops_of_cell as loops_of_cell
    from cardio_ultrasound.studies import nothing_in as nothing_in
    from cardio_ultrasound.studies import read_export as read_export
    from cardio_ultrasound.studies import strangers as strangers
    from cardio_ultrasound.views import VIEW_NAMES as VIEW_NAMES
    from cardio_ultrasound.views import VIEW_TITLES as VIEW_TITLES
    from cardio_ultrasound.views import ViewSeen as ViewSeen
    from cardio_ultrasound.views import view_of as view_of
    from cardio_ultrasound.views import view_of_frames as view_of_frames

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker
    __getattr__, __dir__, __all__ = offer(__name__)
