"""The one-way loop over the hooks: recordings in, a judged run directory out."""
