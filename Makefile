# Each target sets up what it needs in .venv with pip alone; nothing but Python 3.11 is assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PLUGINS := $(wildcard plugins/*)
METADATA := pyproject.toml constraints.txt core/pyproject.toml $(wildcard plugins/*/pyproject.toml)

.PHONY: demo test slow lint bench docs clean
.DELETE_ON_ERROR:

$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade "pip>=25.1"
	touch $@

# torch first and by its exact version: whatever else asks for it then finds it there.
$(VENV)/.installed: $(VENV)/.pip $(METADATA)
	$(PIP) install "$$(grep '^torch==' constraints.txt)"
	$(PIP) install -c constraints.txt -e "./core[train]" $(addprefix -e ./,$(PLUGINS))
	touch $@

$(VENV)/.test: $(VENV)/.installed
	$(PIP) install -c constraints.txt --group test
	touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(PIP) install -c constraints.txt --group bench
	touch $@

demo: $(VENV)/.installed
	rm -rf demo
	$(BIN)/cardio run --plugin ecg_transfer --smoke --out demo

# A file's tests share what they have made, so a file stays in one process.
test: $(VENV)/.test lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy core/src $(wildcard plugins/*/src)
	$(BIN)/lint-imports

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/r_peaks.py --records 100 114 207
	$(BIN)/python benchmarks/spectrograms.py
	$(BIN)/python benchmarks/stats.py
	$(BIN)/python benchmarks/phase.py --volumes 20
	$(BIN)/python benchmarks/mmode.py
	$(BIN)/python benchmarks/echo_loader.py
	$(BIN)/python benchmarks/echo_train.py --width 0.25 --batch 2 --steps 4 --rounds 1

docs: $(VENV)/.test
	$(BIN)/python -m pytest tests/docs

clean:
	rm -rf $(VENV) demo runs
