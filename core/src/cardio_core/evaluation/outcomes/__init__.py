"""Response computed from measurements, by any of several definitions, and how these agree."""
