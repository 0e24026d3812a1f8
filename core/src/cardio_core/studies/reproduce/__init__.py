"""A finished run, made again and compared number by number."""
