"""Reading and writing: atomic files, digests, the cache, the cohort table, shared readers."""
