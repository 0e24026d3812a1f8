"""What this plugin is: its tasks, and where their hooks live. Nothing heavy is imported here."""

from cardio_core.api import PluginInfo
from cardio_my_modality.finding.models import FINDING

INFO = PluginInfo(
    name="my_modality",
    title="Findings in pulse traces",
    tasks=(FINDING,),
    paths={"path_trace": "Recording."},
)
