"""What tells an ectopic beat from the patient's own: shape, rhythm, P wave, noise.

Its numbers are set by hand, with the records of DS1 in view and, for noise, record 105 of DS2. None
decides by itself: they say how a beat is described, and boosted trees learn from DS1 what follows
from that (`beats.evidence`). ``benchmarks/ecg_constants.py`` lists what the numbers of the
delineation are worth, ``benchmarks/ecg_columns.py`` what each description of a beat is.
"""
