# Everything needs only Python 3.11 or newer, pip and make: the virtual environment is made here.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= $(VENV)/demo

# Compiled modules halve the start of a command, so they are kept, but out of the tree.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/pycache

.PHONY: demo test format clean

demo: $(VENV)/.installed ## From an empty folder to a working API: init, build, append, query, endpoint, test
	rm -rf $(DEMO)
	$(BIN)/tbpy init $(DEMO)
	@cd $(DEMO) && export PATH="$(CURDIR)/$(BIN):$$PATH" && set -ex \
		&& tbpy build \
		&& tbpy append customer_transactions.ndjson \
		&& tbpy append customer_transactions more.csv \
		&& tbpy query "SELECT count() FROM customer_transactions" \
		&& tbpy endpoint data cltv_by_location \
		&& tbpy endpoint data customer_cltv --customer_id cust_3377 \
		&& tbpy test run

test: $(VENV)/.installed-dev ## Style, types, imports between rooms, and the suite
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -n 2

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) dist

# Debian's Python may lack ensurepip; pip can install itself into an environment that was made without it.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "tbpy needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install pip; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -qq --disable-pip-version-check -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[dev]'
	touch $@ $(VENV)/.installed
