"""The AHA-17 segments: where they lie in a view, what the CMR says of them, what they are worth."""
