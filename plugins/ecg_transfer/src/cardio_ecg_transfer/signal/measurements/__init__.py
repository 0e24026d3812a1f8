"""What a cardiologist measures: durations, axis, bundle branch blocks, the vectorcardiogram."""
