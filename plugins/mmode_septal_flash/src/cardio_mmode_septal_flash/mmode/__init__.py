"""Virtual M-mode: a scan line through the septum, resliced over the cycle."""
