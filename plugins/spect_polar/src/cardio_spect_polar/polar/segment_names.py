"""The seventeen segments of the left ventricle (Cerqueira et al. 2002), by name."""

from __future__ import annotations

SEGMENT_NAMES = (
    "basal anterior", "basal anteroseptal", "basal inferoseptal",
    "basal inferior", "basal inferolateral", "basal anterolateral",
    "mid anterior", "mid anteroseptal", "mid inferoseptal",
    "mid inferior", "mid inferolateral", "mid anterolateral",
    "apical anterior", "apical septal", "apical inferior", "apical lateral",
    "apex",
)  # fmt: skip
"""Names of segments 1 to 17, in order."""
