# Two commands matter: `make up` and `make test`. Everything they need they install into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: up test check corpus bench fuzz lock clean
$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

up: $(STAMP)
	$(BIN)/vedette up --demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(STAMP)
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/docs

corpus: $(STAMP)
	VEDETTE_CORPUS=whole $(BIN)/python -m pytest -q tests/conformance/kql_execution/test_over_telemetry.py

fuzz: $(STAMP)
	VEDETTE_FUZZ=100 $(BIN)/python -m pytest tests/contract/test_schemathesis.py

bench: $(STAMP)
	$(BIN)/python -m bench

lock:
	$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --extra server --group dev --group bench --group build pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) build dist
