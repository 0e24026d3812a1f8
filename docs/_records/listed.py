"""Pages whose numbers the records do not hold, and why."""

MADE = {
    "docs/results/fuzz.md": "tests/fuzz/page.py",
    "docs/results/hostile.md": "benchmarks/hostile_page.py",
    "docs/results/kills.md": "benchmarks/kill_study_page.py",
    "docs/results/no_signal.md": "tests/integration/no_signal_page.py",
    "docs/gpu.md": "benchmarks/gpu_page.py",
    "docs/scaling.md": "benchmarks/scaling_page.py",
    "docs/install.md": "benchmarks/install_page.py",
    "examples/heart_sounds/README.md": "examples/heart_sounds/tests/test_readme.py",
}
"""Pages whose numbers a script of their own writes from stored JSON, or compares with it."""

PARTS = {
    "docs/performance.md": "profiles|two processes|peers",
    "docs/demo_study.md": "when|patients|modalities|pairs|second site|times",
    "docs/clusters.md": "cluster: [^>]*",
    "docs/licences.md": "licences",
    "docs/privacy.md": "canaries",
}
"""Marks of parts of a page that a script of its own writes from stored JSON; tests repeat them."""

BY_CODE = ("docs/cohort.md", "docs/limits.md")
"""Pages of what columns may hold and where limits lie: the code's own numbers, none measured."""

NOT_YET: tuple[str, ...] = ()
"""Pages whose numbers nobody has put into records yet."""
