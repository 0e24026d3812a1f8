"""`python -m cardio_core` is `cardio`, where scripts are not on the PATH."""

from __future__ import annotations

from cardio_core.cli.main import main

if __name__ == "__main__":
    main()
