"""What this plugin is: its tasks, and where their hooks live. Nothing heavy is imported here."""

from cardio_core.api import PluginInfo
from cardio_my_modality.my_task.models import MY_TASK

INFO = PluginInfo(
    name="my_modality",
    title="Findings in pulse traces",
    tasks=(MY_TASK,),
    paths={"path_my_recording": "Recording."},
)
