"""What this plugin is: its tasks, and where their hooks live. Nothing heavy is imported here."""

from __future__ import annotations

from cardio_core.api import PluginInfo
from cardio_echo_cmr.findings.tasks import MAPPED, SEGMENTAL, TASKS
from cardio_echo_cmr.views.names import CLIPS, VIEW_TITLES, VIEWS

_FINDINGS = {name: title[0].lower() + title[1:] for name, title in SEGMENTAL.items()}
_WORDS = {
    **_FINDINGS,
    **{
        f"{name}_{view}": f"{title} in segments of the {VIEW_TITLES[view]} view"
        for name, title in _FINDINGS.items()
        for view in VIEWS
    },
    **{f"{name}_high": f"raised {name.upper()}" for name in MAPPED},
    **{value: name.upper() for name, (value, _) in MAPPED.items()},
}

INFO = PluginInfo(
    name="echo_cmr",
    title="What an echo loop tells about the CMR: wall motion, scar, T1, T2 and ECV",
    api=(2, 1),
    tasks=TASKS,
    papers=(
        "Sahashi et al. 2024, Using deep learning to predict cardiovascular magnetic resonance "
        "findings from echocardiography videos",
    ),
    paths=tuple(CLIPS),
    words=_WORDS,
)
