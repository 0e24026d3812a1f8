"""What cardio asks of every plugin, on its synthetic cohort."""

from cardio_core.testing import PluginContract, PluginTruth


class TestContract(PluginContract):
    plugin = "my_modality"


class TestTruth(PluginTruth):
    # The best possible AUC is 0.92; so few patients cost a standard error of 0.06.
    plugin = "my_modality"
    planted = {"my_task": 0.8}
