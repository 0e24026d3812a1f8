"""Named configurations: default, and what cpu, full and smoke lay over it."""
