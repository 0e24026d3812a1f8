"""cardio-core: hooks, statistics, evaluation and orchestration for cardiac modality models."""
