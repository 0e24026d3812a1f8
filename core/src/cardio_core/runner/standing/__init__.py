"""What a run stands on: by it a run is gone on with, repeated and defended."""
