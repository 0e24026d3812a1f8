"""The seventeen segments of the left ventricle (Cerqueira et al. 2002): names, walls, arteries."""

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

WALLS = {
    "anterior": (1, 7), "lateral": (5, 6, 11, 12), "inferior": (4, 10), "septal": (2, 3, 8, 9),
    "apical": (13, 14, 15, 16, 17),
}  # fmt: skip
"""Segments of each wall. Every segment belongs to one: the apical third and the apex are a wall of
their own."""

TERRITORIES = {
    "lad": (1, 2, 7, 8, 13, 14, 17), "lcx": (5, 6, 11, 12, 16), "rca": (3, 4, 9, 10, 15),
}  # fmt: skip
"""Segments that each coronary artery supplies as a rule; people differ, in the apex most of all."""

LEAD_TARGETS = (1, 4, 5, 6, 7, 10, 11, 12)
"""Segments in which a left ventricular lead may lie: neither septal nor apical.

A branch of the coronary sinus reaches no septum, and pacing at the apex does worse. Zhou et al.
(J Nucl Cardiol 2018;25:1948) leave out both, and segments that are scar, before they look for the
latest."""
