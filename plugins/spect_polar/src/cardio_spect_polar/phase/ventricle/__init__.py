"""The left ventricle in a gated stack: the heart, its axis, its ends and its wall."""
