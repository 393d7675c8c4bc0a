PYTHON ?= python3
RAW ?= ../shared/data/Penn_Action
NAME ?= sport14
BIN := .venv/bin
SOURCES := actrec tests docs $(wildcard notebooks/*.ipynb)

export WANDB_MODE := offline
export YOLO_OFFLINE := true

.DEFAULT_GOAL := help
.PHONY: help install test test-slow lint format types check quickstart penn_action ship app docs clean

help: ## list these targets
	@grep -hE '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# The stamp is written last, so an install that was cut short is done again.
.venv/.installed: pyproject.toml constraints.txt
	rm -f $@
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[all]'
	touch $@

install: .venv/.installed ## create .venv/ with all dependencies

test: install ## install if necessary, then run the tests
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4

test-slow: install ## run the tests that take minutes
	$(BIN)/python -m pytest -m slow

lint: install ## ruff: rules and format
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

format: install ## ruff: fix and format
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

types: install ## mypy
	$(BIN)/mypy

check: lint types test ## lint, types and tests

quickstart: install ## install if necessary, then train a demo model for streams, and show its sets
	$(BIN)/python -m actrec.train experiment=quickstart
	@echo "To train on your own skeletons, see docs/skeletons.md."

penn_action: install ## prepare and train on Penn Action from RAW=folder
	$(BIN)/python -m actrec.prepare dataset=penn_action raw='$(RAW)'
	$(BIN)/python -m actrec.train experiment=penn_action

ship: install ## put a run's model into the package: RUN=folder NAME=sport14 WEIGH='{none: 0.5}'
	$(BIN)/python -m actrec.export model='$(RUN)' to='actrec/model/shipped/$(NAME)' weights=true 'weigh=$(or $(WEIGH),null)'

app: install ## the Streamlit app, for this machine only
	$(BIN)/streamlit run actrec/serve/app.py

docs: install ## docs/config.md from the configs, and the site in site/
	$(BIN)/python docs/reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Open site/index.html, or run $(BIN)/mkdocs serve to use its search."

clean: ## remove caches and builds; runs, data and .venv/ stay
	rm -rf build dist site .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find actrec tests -name __pycache__ -type d -prune -exec rm -rf {} +
