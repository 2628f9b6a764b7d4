# Switchyard. `make help` lists what there is; every target can be run alone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python

# `$(call need,tool,how to get it)`: stops with the tool's name and where it comes from.
need = command -v $(1) >/dev/null || { echo "make: '$(1)' is missing: $(2)" >&2; exit 1; }

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@ / {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
	  /^[a-zA-Z0-9_\/-]+:.*## / {printf "  \033[36m%-24s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Run

##@ Test

##@ Terraform

##@ Set-up

.PHONY: venv
venv: $(VENV)/.ready ## Make the Python virtual environment (.venv)

# A stamp per requirements file: a changed file is installed again, an unchanged one costs nothing.
$(VENV)/.ready: requirements.txt requirements-dev.txt
	@$(call need,$(PYTHON),install Python 3.11 or newer)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is $$($(PYTHON) --version); 3.11 or newer is needed (set PYTHON=...)" >&2; exit 1; }
	@echo "venv: installing the Python packages into $(VENV) (a minute, once)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
