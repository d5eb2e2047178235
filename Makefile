PYTHON ?= python3
BIN := .venv/bin
GOLD ?= ../shared/data/attributions/dev.jsonl

.PHONY: serve test lint format openapi openapi-check clients fuzz train evaluate lock audit clean help

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

serve: .venv/serve ## Install what serving needs, if need be, and start whosaid
	$(BIN)/whosaid serve $(ARGS)

# Two at a time, whole files, each with one core's threads: what waits for servers leaves its core to the other.
test: .venv/dev ## Run all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev ## Put the code into style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: .venv/dev ## Write openapi.yaml from the code, and note new response fields
	$(BIN)/python -m service.api.spec > openapi.yaml.part && mv openapi.yaml.part openapi.yaml
	$(BIN)/python -m service.api.fields tests/service/fields.txt

openapi-check: .venv/dev ## Fail if openapi.yaml is not what the code says
	$(BIN)/python -m service.api.spec --check openapi.yaml

clients: ## Make a Python and a TypeScript client in build/clients; needs node and npm
	PYTHON=$(PYTHON) tools/generate_clients.sh build/clients

fuzz: .venv/dev ## Send a real server very many broken requests: ARGS="--requests 2000"
	$(BIN)/python -m benchmarks.fuzz $(ARGS)

train: .venv/dev ## Train the network, or go on with it: ARGS="--run runs/network --epochs 8"
	$(BIN)/python -m models.training train $(ARGS)

evaluate: .venv/dev ## Measure the shipped weights: GOLD=file.jsonl ARGS="--habit polnear"
	$(BIN)/whosaid evaluate $(GOLD) $(ARGS)

# Not part of .ci/run: it asks a public service, which may know nothing of a mirror's packages or be out of reach.
audit: ## Look for known vulnerabilities in what is locked
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	.venv/audit/bin/pip-audit --strict --no-deps --disable-pip -r requirements.lock

lock: ## Resolve the dependencies anew into the lock files
	PYTHON=$(PYTHON) tools/lock.sh

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/serve: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.venv/dev: requirements-dev.lock .venv/serve
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	touch $@

clean: ## Remove what was made
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
