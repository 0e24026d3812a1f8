"""What an echo loop tells about the CMR: wall motion, scar, T1, T2 and ECV."""
