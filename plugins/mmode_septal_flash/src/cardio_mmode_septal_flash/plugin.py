"""What this plugin is: its tasks, and where their hooks live. Nothing heavy is imported here."""

from __future__ import annotations

from cardio_core.api import PluginInfo
from cardio_mmode_septal_flash.drawing.words import WORDS
from cardio_mmode_septal_flash.flash.models import PATHS, PHANTOM_FLASH, SEPTAL_FLASH, UNNAMED

INFO = PluginInfo(
    name="mmode_septal_flash",
    title="Anatomical M-modes from apical echo loops, septal flash and where it is",
    tasks=(SEPTAL_FLASH, PHANTOM_FLASH),
    paths=PATHS,
    unsorted=UNNAMED,
    recording="loop",
    shows="view",
    papers=(
        "Saiz-Vivo et al. 2023, Localizing cardiac dyssynchrony in M-mode echocardiography with "
        "attention maps",
    ),
    words=WORDS,
)
