"""R peaks: candidates where the QRS band is strong, and the sequence of them that is a rhythm."""
