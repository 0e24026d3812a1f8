"""What this plugin is: its tasks, and where their hooks live. Nothing heavy is imported here."""

from cardio_core.api import PluginInfo
from cardio_heart_sounds.murmur.models import MURMUR

INFO = PluginInfo(
    name="heart_sounds",
    title="Murmurs in heart sounds",
    tasks=(MURMUR,),
    paths={"path_pcg": "Heart sounds."},
)
