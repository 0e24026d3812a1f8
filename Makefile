# Each target sets up what it needs in .venv with pip alone; nothing but Python 3.11 is assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# What takes minutes says what it does, a line a package.
PIP_TELLING := $(BIN)/python -m pip --disable-pip-version-check
# Measured on two quiet cores, for the text of `make demo`.
DEMO_MINUTES := 1
INSTALL_MINUTES := 2 to 10
INSTALL_SIZE := 1.6 GB on disk, about 0.4 GB to download; several GB more where pip takes torch for CUDA
PLUGINS := $(wildcard plugins/*)
# Each before what requires it: no name of ours is looked for on an index.
CORE := core/cardio-stats core/cardio-core core/cardio-ultrasound core/cardio-studies core/cardio-suite
# The files that train something and compare it, or decide by it.
TRAINING := tests/integration/test_fused_*.py tests/integration/test_left_out.py \
	tests/integration/test_rows.py tests/integration/test_conformal_sets.py \
	tests/integration/test_needs.py core/cardio-core/tests/test_training*.py \
	$(wildcard plugins/*/tests/test_*_train.py plugins/*/tests/test_*network.py)
METADATA := pyproject.toml constraints.txt $(wildcard core/*/pyproject.toml) $(wildcard plugins/*/pyproject.toml)

.PHONY: dist install demo test noise slow lint types rules bench docs evidence audit clean fuzz
.DELETE_ON_ERROR:

$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade "pip>=25.1"
	touch $@

# torch first and by its exact version: whatever else asks for it then finds it there.
$(VENV)/.installed: $(VENV)/.pip $(METADATA)
	@echo "Installing torch, then cardio with its plugins, into $(VENV) ($(INSTALL_SIZE))."
	$(PIP_TELLING) install "$$(grep '^torch==' constraints.txt)"
	$(PIP_TELLING) install -c constraints.txt $(addprefix -e ./,$(CORE) $(PLUGINS))
	touch $@

# One plugin and what it requires of ours, from their folders: make install PLUGIN=ecg_transfer
install: $(VENV)/.pip
	@test -f "plugins/$(PLUGIN)/pyproject.toml" || { \
		echo "make install PLUGIN=NAME: NAME is one of $(notdir $(PLUGINS))" >&2; exit 2; }
	$(PIP_TELLING) install "$$(grep '^torch==' constraints.txt)"
	$(PIP_TELLING) install -c constraints.txt ./core/cardio-stats ./core/cardio-core \
		$(if $(shell grep cardio-ultrasound plugins/$(PLUGIN)/pyproject.toml),./core/cardio-ultrasound) \
		./plugins/$(PLUGIN)

$(VENV)/.test: $(VENV)/.installed
	$(PIP) install -c constraints.txt --group test
	touch $@

$(VENV)/.docs: $(VENV)/.installed
	$(PIP) install -c constraints.txt --group docs
	touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(PIP) install -c constraints.txt --group bench
	touch $@

# In an environment of its own: what audits is not among what is audited.
$(VENV)/audit/.installed: $(VENV)/.pip
	$(PYTHON) -m venv --without-pip $(VENV)/audit
	$(PIP) --python $(VENV)/audit/bin/python install --group audit
	touch $@

# What is to come is said before the first prerequisite is made, so make calls itself.
demo:
	@echo "1. Install cardio and its plugins into $(VENV), unless they are there:"
	@echo "   $(INSTALL_MINUTES) minutes with a fast connection; $(INSTALL_SIZE)."
	@echo "2. Run the ECG plugin on a synthetic cohort of 24 patients, at its smallest sizes, into demo/:"
	@echo "   about $(DEMO_MINUTES) minute on two cores. The numbers prove nothing; they show what a run gives."
	@$(MAKE) --no-print-directory $(VENV)/.installed
	rm -rf demo
	$(BIN)/cardio run --plugin ecg_transfer --smoke --out demo
	@echo "The page to read: $(CURDIR)/demo/report.html (open it in a browser)."

# A file's tests share what they have made, so a file stays in one process; long files come first,
# so that both processes end together. The architecture is lint's.
test: $(VENV)/.test lint
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist loadfile \
		--no-loadscope-reorder --ignore tests/architecture

# As on another processor: without its vector units, and with noise of 1e-7 on the toy's scores.
noise: $(VENV)/.test
	ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE OPENBLAS_CORETYPE=Haswell CARDIO_TEST_NOISE=1 \
		$(BIN)/python -m pytest -n auto --dist loadfile $(TRAINING)

# What guards a stored study, every combination, and long commands of pages.
slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow

# Damaged files for every reader, in processes with limits; what is found is kept in fuzz-found/.
FUZZ_N ?= 3000
fuzz: $(VENV)/.test
	$(BIN)/python -m tests.fuzz --n $(FUZZ_N) --keep fuzz-found

# Types take as long as everything else together.
lint: $(VENV)/.test
	@$(MAKE) --no-print-directory --jobs 2 --output-sync types rules

types: $(VENV)/.test
	$(BIN)/mypy $(wildcard core/*/src plugins/*/src examples/*/src)

rules: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -p no:cacheprovider tests/architecture
	@echo "Every test file is imported; what each process of tests would compile is compiled once."
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -p no:cacheprovider --collect-only -q >/dev/null

# Ratios beside peers, held against their floors; what was measured is in benchmarks/results.
bench: $(VENV)/.bench
	$(BIN)/python benchmarks/bench.py

# The site, offline, with the reference made from the code; a warning is an error.
docs: $(VENV)/.docs
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs
	@echo "The site: $(CURDIR)/build/docs/index.html"
	@$(BIN)/python -m docs._records --stale || \
		echo "The code behind these numbers changed: measure again, or mark the records (CONTRIBUTING.md)."

# Stale measurements, cheapest first, made anew within BUDGET minutes; 0 lists them with their cost.
BUDGET ?= 0
evidence: $(VENV)/.test
	$(BIN)/python -m docs._records --remake $(BUDGET)

# Licences first; then known vulnerabilities, where their database can be reached (4: it cannot).
audit: $(VENV)/.test $(VENV)/audit/.installed
	$(BIN)/python tests/audit/licences.py
	$(BIN)/python tests/audit/vulnerabilities.py $(VENV)/audit/bin/pip-audit || [ $$? -eq 4 ]

# Wheels and sdists of all distributions, each with the licence and a README that stands alone.
dist: $(VENV)/.test
	rm -rf dist
	$(BIN)/python .ci/dist.py dist

clean:
	rm -rf $(VENV) demo runs dist build
