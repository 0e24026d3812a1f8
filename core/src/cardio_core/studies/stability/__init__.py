"""How much of a finished run hangs on its split, its sites, its patients, or on nothing at all."""
