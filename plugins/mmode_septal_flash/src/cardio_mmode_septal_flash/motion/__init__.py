"""How far and when the septum moves inward, measured in M-modes."""
