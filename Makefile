# `make demo` and `make test` need Python 3.11+ and make; each sets up .venv when it must.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
DEMO_TRIALS ?= 10
DEMO_TIME ?= 7m

.PHONY: demo test lint clean

demo: $(READY)
	rm -rf demo
	$(BIN)/automlrank search kuairand --trials $(DEMO_TRIALS) --time $(DEMO_TIME) --latency-ms 30 --seed 1 --out demo/run
	$(BIN)/automlrank report demo/run
	$(BIN)/automlrank export demo/run --out demo/model
	$(BIN)/python demo/model/train.py automlrank/data/samples/kuairand.parquet --out demo/trained

test: $(READY)
	$(BIN)/python -m pytest -n 2

lint: $(READY)
	$(BIN)/ruff format --check automlrank tests benchmarks docs
	$(BIN)/ruff check automlrank tests benchmarks docs
	$(BIN)/mypy

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed.") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

clean:
	rm -rf .venv demo build *.egg-info
