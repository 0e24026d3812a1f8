"""Facts about the MIT-BIH Arrhythmia Database: classes, lists of records, one man twice."""

from __future__ import annotations

AAMI_CLASSES = ("N", "S", "V", "F", "Q")

AAMI_OF_SYMBOL = {
    symbol: name
    for name, symbols in {
        "N": ("N", "L", "R", "e", "j", "B"),
        "S": ("A", "a", "J", "S", "n"),
        "V": ("V", "E", "r"),
        "F": ("F",),
        "Q": ("/", "f", "Q", "?"),
    }.items()
    for symbol in symbols
}
"""AAMI class of each beat symbol (ANSI/AAMI EC57); symbols that are no beats are absent."""

PACED = ("102", "104", "107", "217")
"""Records with paced beats, which EC57 leaves out."""

DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)  # fmt: skip
"""Training and test records of de Chazal et al. 2004."""

SAME_MAN = "records 201 (training) and 202 (test) are one man"
DS2_STRICT = tuple(record for record in DS2 if record != "202")
SUBJECT_LINK = {"201": "201", "202": "201"}
