"""The networks, what they are given, and how a fitted one is used again."""
