"""What this plugin is: its tasks, and where their hooks live. Nothing heavy is imported here."""

from __future__ import annotations

from cardio_core.api import PluginInfo
from cardio_echo_cmr.drawing.words import WORDS
from cardio_echo_cmr.findings.tasks import TASKS

INFO = PluginInfo(
    name="echo_cmr",
    title="What an echo loop tells about the CMR (wall motion, scar, T1, T2, ECV) or any outcome",
    tasks=TASKS,
    papers=(
        "Sahashi et al. 2024, Using deep learning to predict cardiovascular magnetic resonance "
        "findings from echocardiography videos",
    ),
    paths={
        "path_echo_a4c": "Apical four-chamber clips.",
        "path_echo_a2c": "Apical two-chamber clips.",
        "path_echo_plax": "Parasternal long-axis clips.",
        "path_echo_other": "Echo clips of other views.",
        "path_echo": "Echo clips whose view nobody named.",
    },
    unsorted="path_echo",
    recording="loop",
    shows="view",
    tools={"weight_layouts": "cardio_echo_cmr.networks.layouts:layouts"},
    words=WORDS,
)
