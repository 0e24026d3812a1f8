"""The family of single beats: the AAMI class of every beat that the detector finds."""
