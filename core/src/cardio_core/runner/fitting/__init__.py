"""Fits: one model on one fold at a time, in any process; fused models behind the others."""
