"""The network over time: the median beat in twelve leads at once, measurements beside it."""
