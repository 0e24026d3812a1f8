"""The planted words, by where they are planted."""

from __future__ import annotations

HEADER = {
    "name": "Quorvixname",
    "id": "Quorvixident",
    "institution": "Quorvixhouse",
    "physician": "Quorvixphys",
    "comment": "Quorvixcomment",
    "private": "Quorvixprivate",
    "sequence": "Quorvixsequence",
    "overlay": "Quorvixoverlay",
    "key": "Quorvixkey",
    "sidecar": "Quorvixsidecar",
    "trailing": "Quorvixtrail",
    "uid": "7741883291604",
    "date": "19470313",
    "written date": "1947-03-13",
    "wrong content": "Quorvixletter",
}
"""In the files: elements, names of keys and attributes, comments, what is no recording at all."""

NAMES = {"file": "Quorvixfile", "folder": "Quorvixfolder", "parent": "Quorvixparent"}
"""Of files, of the folder that they lie in, and of one above it."""

TABLE = {"column": "Quorvixcolumn", "cell": "Quorvixcell"}
"""A column that nothing reads, and what stands in it."""

ID = "Zelmorid"
"""Begins the table's own ids, which outputs may hold, but no export."""

EVERYTHING = {**HEADER, **NAMES, **TABLE}
PLACE_OF = {word: place for place, word in EVERYTHING.items()}
