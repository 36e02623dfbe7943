# Two commands on a fresh machine: `make demo` and `make test`. Everything they set up lives in .venv/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# One thread for BLAS: the figures of tests and benchmarks must not depend on the number of cores.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test check bench bench-demo test-kernel test-faults fuzz docs clean help

help:
	@echo "make demo         record the simulated phone, attribute, write powerhal-demo.html"
	@echo "make test         the test suite (under 10 minutes on 2 cores)"
	@echo "make check        ruff and mypy --strict"
	@echo "make bench        performance against the named peers, as ratios"
	@echo "make bench-demo   accuracy and interval coverage of the demo over 100 seeds"
	@echo "make test-faults  each guard against a fault taken away in a copy: its test must fail"
	@echo "make fuzz         the parsers of Android dumps, FUZZ_SECONDS=600 each (coverage-guided if atheris can be had)"
	@echo "make test-kernel  tests on a real Linux kernel with I2C, hwmon and power_supply (needs the rig)"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "powerhal needs Python 3.11 or newer; $(PYTHON) is older. Debian: apt install python3 (bookworm or later)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
	  || { echo "missing system package: python3-venv. Debian: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $(VENV)/.installed $@

demo: $(VENV)/.installed
	$(BIN)/powerhal demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not kernel and not slow"

test-kernel: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m kernel -rs tests/kernel

test-faults: $(VENV)/.installed-dev
	$(BIN)/python -m tests.faults.mutants

FUZZ ?= checkin blocks columns history history_text human proto container file emitted profile powerstats odpm
FUZZ_SECONDS ?= 600
fuzz: $(VENV)/.installed-dev
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install -q atheris \
	  || echo "atheris cannot be installed here: seeded mutation instead"
	@status=0; for entry in $(FUZZ); do \
	  $(BIN)/python -m tests.android.fuzz $$entry --executions 10000000 --seconds $(FUZZ_SECONDS) || status=1; \
	done; exit $$status

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

bench-demo: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.demo_accuracy --first 1 --seeds 100 --jobs 2

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis powerhal-demo.html
