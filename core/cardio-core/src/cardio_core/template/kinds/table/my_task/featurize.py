"""Hook `featurize`: one patient's measurements, with their units; fitted on nobody."""

from cardio_core.api import FeatureSet, SampleSet

UNITS = {"volume_ml": "mL", "strain_pct": "%"}
"""The measurements that are used, and their units; one that a file lacks is NaN."""


def featurize(samples: SampleSet) -> FeatureSet:
    """Take the measurements by name."""
    rows = ({name: float(file.get(name, "nan")) for name in UNITS} for file in samples.values)
    return FeatureSet.from_rows(samples, "measures", rows, UNITS)
