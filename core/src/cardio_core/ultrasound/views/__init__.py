"""Which standard view of the heart a loop shows, as a small network sees it."""
