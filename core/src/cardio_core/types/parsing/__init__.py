"""Texts of JSON and YAML as content, or a refusal in a few words: nothing else comes of them."""
