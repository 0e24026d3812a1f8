"""After the fits: predictions brought together, explained, judged and written down."""
