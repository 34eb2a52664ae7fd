# Each target needs Python 3.11 and make; each sets up .venv when it must.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
LOWEST := .venv-lowest
DEMO_TRIALS ?= 10
DEMO_TIME ?= 7m
PATHS := automlrank tests benchmarks docs
TESTS := -n 2 --dist worksteal

.PHONY: demo test test-slow test-lowest fuzz lint docs clean

# Search, report, export; the exported code trains.
demo: $(READY)
	rm -rf demo
	$(BIN)/automlrank search kuairand --trials $(DEMO_TRIALS) --time $(DEMO_TIME) --latency-ms 30 --seed 1 --out demo/run
	$(BIN)/automlrank report demo/run
	$(BIN)/automlrank export demo/run --out demo/model
	$(BIN)/python demo/model/train.py automlrank/data/samples/kuairand.parquet --out demo/trained

# Every law once, within 8 minutes on two cores.
test: $(READY)
	$(BIN)/python -m pytest $(TESTS) -m "not slow"

# The same laws on more cases: every model, whole searches by several processes.
test-slow: $(READY)
	$(BIN)/python -m pytest $(TESTS) -m slow

# The quick tests of what other versions may change, with the lowest versions of pyproject.toml.
test-lowest: $(LOWEST)/ready
	$(LOWEST)/bin/python -m pytest $(TESTS) -m "not slow" tests/data tests/model tests/training tests/study

# 10,000 random inputs, none of which may fail: docs/fuzz.md.
fuzz: $(READY)
	$(BIN)/python -m tests.fuzz

lint: $(READY)
	$(BIN)/ruff format --check $(PATHS)
	$(BIN)/ruff check $(PATHS)
	$(BIN)/mypy

# The pages of docs/ that are made of declarations and files.
docs: $(READY)
	$(BIN)/python docs/tables.py
	$(BIN)/python -m benchmarks.tables

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed.") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

$(LOWEST)/ready: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-lowest.txt -e '.[dev]'
	touch $(LOWEST)/ready

clean:
	rm -rf .venv $(LOWEST) demo build *.egg-info
