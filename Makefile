# zhol: the commands. Only python3 (3.11 or newer) and make are assumed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.made-from-lock

.PHONY: setup brief test lint docs bench serve lock clean

setup: $(STAMP)

# pip is asked for nothing but the pinned, hashed files of the lock; zhol itself is installed in place.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "zhol needs Python 3.11 or newer; found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $@

brief: setup
	$(BIN)/zhol brief KAZ --out out

test: setup lint
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: setup
	NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict

bench: setup
	$(BIN)/python -m benchmarks

serve: setup
	NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs serve

# For developers: needs uv. --universal writes one lock for every system and Python; no index address goes in.
lock:
	uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url --no-annotate --upgrade --quiet --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) out site build dist
