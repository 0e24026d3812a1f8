"""An ultrasound loop: frames in time, what was stated about it, its R waves and its geometry."""
