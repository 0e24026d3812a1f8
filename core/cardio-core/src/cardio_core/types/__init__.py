"""The nouns of cardio: plain, frozen dataclasses that hooks pass to one another."""
