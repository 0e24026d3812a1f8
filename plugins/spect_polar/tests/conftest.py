"""Tests find `spect_phase_maps` beside them: under pytest, and where a file is run as a script."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
