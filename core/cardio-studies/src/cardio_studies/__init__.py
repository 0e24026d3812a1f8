"""What comes after a run, or instead of one: predictions judged."""
