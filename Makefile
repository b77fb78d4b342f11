# Everything runs in .venv, which is made from requirements.lock when it is missing or older than it.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check slow soak zoo lock clean help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/installed  ## train an agent for a minute, and let it meet the pretrained ones (4 minutes)
	@$(BIN)/python -m arena.demo

test: .venv/installed  ## run the fast tests
	$(BIN)/pytest -q -m "not slow"

check: test  ## the tests, and lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

slow: .venv/installed  ## the learning tests (up to 25 minutes)
	$(BIN)/pytest -q -m slow

soak: .venv/installed  ## kill six trainings ten times each and compare what comes of them (20 minutes)
	$(BIN)/python benchmarks/soak.py

zoo: .venv/installed  ## train the pretrained policies again, or one: make zoo ENTRY=ppo/CartPole-v1 (hours to days)
	$(BIN)/python -m agents.zoo $(ENTRY)

lock:  ## renew requirements.lock (needs uv)
	uv pip compile --quiet --universal --upgrade --python-version 3.11 --extra box2d --extra mujoco --extra two-player --extra dev \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml -o requirements.lock

clean:  ## remove the virtual environment and caches
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}; name another with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
