"""What this plugin is: its tasks, and where their hooks live. Nothing heavy is imported here."""

from __future__ import annotations

from cardio_core.api import PluginInfo
from cardio_spect_polar.drawing.words import WORDS
from cardio_spect_polar.flow.models import MFR, RISK_FACTOR
from cardio_spect_polar.response.models import CRT_RESPONSE

INFO = PluginInfo(
    name="spect_polar",
    title="Phase polar maps from gated SPECT, and transfer on perfusion polar maps",
    tasks=(CRT_RESPONSE, MFR, RISK_FACTOR),
    papers=(
        "He et al. 2022, A method using deep learning to discover new predictors of CRT response "
        "from mechanical dyssynchrony on gated SPECT MPI",
        "Yeung et al. 2022, Interpretation of positron emission tomography polar maps by deep "
        "learning, with the editorial of Hagio and Murthy 2022",
        "Chen et al. 2005, Onset of left ventricular mechanical contraction as determined by phase "
        "analysis of ECG-gated myocardial perfusion SPECT imaging",
    ),
    words=WORDS,
    paths={
        "path_spect": "Gated SPECT study.",
        "path_polarmap_rest": "Polar map at rest.",
        "path_polarmap_stress": "Polar map at stress.",
        "path_polarmap_reserve": "Polar map of flow reserve.",
    },
)
