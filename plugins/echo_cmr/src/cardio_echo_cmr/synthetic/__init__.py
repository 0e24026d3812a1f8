"""The synthetic twin: echo loops made by code, whose segments' motion and thickness are known.

`wall` says where the left ventricle and its segments are, `views` how they lie in a sector,
`chambers` and `valves` what is around them, `beat` and `motion` how all of it moves, `loop` makes
pictures, `findings` draws what the CMR finds, `patients` who is recorded, and `cohort` writes
files. Nothing heavy is imported here.
"""
