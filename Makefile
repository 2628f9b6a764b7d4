# Switchyard. `make help` lists what there is; every target can be run alone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
CHECKOV_VENV := .venv-checkov

# `$(call need,tool,how to get it)`: stops with the tool's name and where it comes from.
need = command -v $(1) >/dev/null || { echo "make: '$(1)' is missing: $(2)" >&2; exit 1; }
# `$(call given,VARIABLE,example)`: stops when the caller did not set it.
given = test -n "$($(1))" || { echo "make: say which: make $@ $(1)=$(2)" >&2; exit 1; }

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@ / {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
	  /^[a-zA-Z0-9_\/-]+:.*## / {printf "  \033[36m%-24s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Run

# A debug build takes a fraction of a release build's time, and is quick enough to try things.
PORT ?= 8080
API_KEY ?=

.PHONY: run
run: ## Serve the API on 127.0.0.1 with the built-in map, no AWS; PORT=, API_KEY=, STRINGS_MAPPING_FILE=
	@$(call need,cargo,https://rustup.rs)
	@$(call need,cc,a C compiler: Debian's build-essential or Xcode's command line tools)
	@echo "run: builds the container's binary (minutes the first time), then serves on http://127.0.0.1:$(PORT) until Ctrl-C"
	cargo build --locked --bin fargate-app
	@key='$(API_KEY)'; key=$${key:-$$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}; \
	  printf '\nrun: once it says "listening", try\n\n  %s \\\n    %s\n\n' \
	    "curl http://127.0.0.1:$(PORT)/string/replace -H 'x-api-key: $$key'" "-d '{\"content\": \"I bank with Rabo.\"}'"; \
	  exec env -u STRINGS_MAPPING_PARAMETER_NAME -u STRINGS_MAPPING_TABLE \
	    HOST=127.0.0.1 PORT=$(PORT) API_KEY="$$key" target/debug/fargate-app

ARCHITECTURES ?=
ROOT_DOMAIN   ?=

.PHONY: local local/env local/deploy
local: $(VENV)/.ready ## The deployed system on this machine: no AWS, no Docker; ARCHITECTURES=lambda,fargate,events,publish,private, PORT=, ROOT_DOMAIN=
	@exec $(PY) -m local --region $(REGION) $(if $(filter command environment,$(origin PORT)),--port $(PORT)) \
	  $(if $(ARCHITECTURES),--architectures '$(ARCHITECTURES)') $(if $(ROOT_DOMAIN),--root-domain $(ROOT_DOMAIN)) $(ARGS)

local/env: $(VENV)/.ready ## Lines for a shell to use the AWS CLI with the running make local: eval "$(make -s local/env)"
	@$(PY) -m local.up.env --region $(REGION)

local/deploy: $(VENV)/.ready ## Release the container to the running make local, blue to green, and watch it; TAG=
	@$(PY) -m local.up.deploy --region $(REGION) $(if $(filter command environment,$(origin TAG)),--tag $(TAG))

REQUESTS ?= 1000000

.PHONY: bench bench/build bench/engine bench/http bench/rss bench/init bench/gateway bench/soak
bench: bench/engine bench/http bench/rss bench/init bench/gateway bench/soak ## Measure everything against its peers; also as JSON in target/bench/
bench/engine: ## Replacing, against memcpy, aho-corasick, and regex loops in Python and Node.js
bench/http: ## CPU time of a request, against a raw hyper server
bench/rss: ## The container's memory
bench/init: ## The Lambda function's start, against an empty one
bench/gateway: ## What the local API Gateway adds to a request, against Invoke
bench/engine bench/http bench/rss bench/init bench/gateway: bench/%: bench/build
	@target/release/bench $*

bench/soak: bench/build ## Very many requests through the local API Gateway: nothing grows; REQUESTS=
	@target/release/bench soak $(REQUESTS)

bench/gateway bench/soak: $(VENV)/.ready

# Three builds: in one, cargo would give the function the features of what the container needs, its credential chain with it,
# and what is measured would not be what is deployed.
bench/build:
	@$(call need,cargo,https://rustup.rs)
	@echo "bench: builds the release binaries (many minutes the first time)"
	cargo build --locked --release --package fargate-app --package bench
	cargo build --locked --release --package data-plane
	cargo build --locked --release --package string-replace

##@ Test

TESTS = $(PY) scripts/run_tests.py

# Built before anything runs, so that nothing is tested on a machine that is busy with that. A build that fails is a failure of
# each part that needs it.
.PHONY: test test/build test/rust test/crates test/service test/contract test/local
test: $(VENV)/.ready ## Everything; the last line says how many passed and failed
	@-$(MAKE) --no-print-directory test/build
	@$(TESTS) test/crates test/service test/terraform-root --beside test/terraform-cycle --beside test/local

test/rust: $(VENV)/.ready ## The replace service: Rust's tests, then the binaries from outside
	@$(TESTS) test/crates test/service

# Everything is built in one call: cargo chooses dependencies' features for what it builds at once, and a build of the binaries
# alone would compile the AWS SDK a second time.
test/build:
	@$(call need,cargo,https://rustup.rs)
	cargo build --locked --workspace --all-targets

test/crates: $(VENV)/.ready test/build
	cargo test --locked --workspace --no-fail-fast

test/service: $(VENV)/.ready test/build
	$(PY) -m pytest tests/contract tests/service tests/client tests/runner

# The crates under local/ have their own tests, which test/crates runs.
test/local: $(VENV)/.ready test/build ## `make local` itself: the contract on every front door, faults, its end; and API Gateway's behaviour
	@$(call need,terraform,https://developer.hashicorp.com/terraform/install (1.11 or newer))
	$(PY) -m pytest tests/local $(wildcard tests/conformance)

test/contract: $(VENV)/.ready ## The contract, against the API at BASE_URL= with API_KEY=; extra arguments in ARGS=
	@$(call given,BASE_URL,http://127.0.0.1:8080 API_KEY=...)
	@$(PY) -m pytest tests/contract --base-url "$(BASE_URL)" $(ARGS)

# cargo-fuzz needs a nightly compiler's flags; RUSTC_BOOTSTRAP=1 is what makes a stable one take them.
.PHONY: fuzz
TARGET  ?= rules
SECONDS ?= 60
fuzz: ## Fuzz TARGET=rules (rules and texts) or body (requests) for SECONDS=; what it finds is in fuzz/artifacts/
	@$(call need,cargo-fuzz,cargo install cargo-fuzz)
	@mkdir -p fuzz/corpus/$(TARGET)
	RUSTC_BOOTSTRAP=1 cargo fuzz run $(TARGET) fuzz/corpus/$(TARGET) fuzz/seeds/$(TARGET) -- -max_total_time=$(SECONDS)

##@ Terraform

# Identifier, environment and region are said here, not in terraform.tfvars: they are in the state's key as well, and the
# two must never disagree.
IDENTIFIER  ?= switchyard
ENVIRONMENT ?= test
REGION      ?= eu-west-1
# What is released, relative to terraform/. Environments that are released on their own have a file each.
RELEASES    ?= releases.json
# SSM parameter that holds the name of the bucket with Terraform's state.
STATE_BUCKET_PARAMETER ?= /terraform/statefiles/bucket

# What the Lambda functions are built for: arm64 or x86_64, or host: plain cargo, for tests and local runs.
ARCH    ?= arm64
PROFILE ?= release
LAMBDAS      := $(notdir $(patsubst %/,%,$(wildcard lambdas/*/)))
LAMBDA_TARGET = $(subst arm64,aarch64,$(ARCH))-unknown-linux-gnu
LAMBDA_GLIBC := 2.34
LAMBDA_CPU    = $(if $(filter host,$(ARCH)),$(subst aarch64,arm64,$(shell uname -m)),$(ARCH))

export TF_DATA_DIR ?= $(CURDIR)/terraform/.terraform
TERRAFORM    = $(call need,terraform,https://developer.hashicorp.com/terraform/install (1.11 or newer)); terraform -chdir=terraform
STATE_BUCKET = $(PY) scripts/state_bucket.py --parameter $(STATE_BUCKET_PARAMETER) --region $(REGION)
# releases.production.json has its exports in releases/production/.
RELEASE      = $(PY) scripts/release.py --file terraform/$(RELEASES) --folder $(subst .,/,$(basename $(RELEASES))) --region $(REGION)
TF_VARS      = -var identifier=$(IDENTIFIER) -var environment=$(ENVIRONMENT) -var region=$(REGION) \
               -var lambda_architecture=$(LAMBDA_CPU) -var releases_file=$(RELEASES)

.PHONY: terraform-init terraform-plan terraform-apply terraform-destroy
terraform-init: ## Forget the working directory's backend, then initialise
	@$(MAKE) terraform/clean
	@$(MAKE) terraform/init

terraform-plan: ## Clean, initialise, then plan
terraform-apply: ## Clean, initialise, then apply
terraform-destroy: ## Clean, initialise, then destroy
terraform-plan terraform-apply terraform-destroy: terraform-%:
	@$(MAKE) terraform-init ARGS=
	@$(MAKE) terraform/$*

.PHONY: terraform/bootstrap terraform/clean terraform/init terraform/plan terraform/apply terraform/destroy
terraform/bootstrap: $(VENV)/.ready ## Make the bucket of the state, and the parameter that names it
	@$(STATE_BUCKET) bootstrap

terraform/clean: ## Forget the working directory's backend and modules (TF_DATA_DIR)
	@rm -rf "$(TF_DATA_DIR)"

terraform/init: $(VENV)/.ready ## terraform init with this environment's backend; extra arguments in ARGS=
	@bucket=$$($(STATE_BUCKET) name); $(TERRAFORM) init -input=false -backend-config="bucket=$$bucket" \
	  -backend-config="key=$(IDENTIFIER)/$(ENVIRONMENT).tfstate" -backend-config="region=$(REGION)" $(ARGS)

terraform/plan: ## terraform plan; extra arguments in ARGS=
terraform/apply: ## terraform apply; extra arguments in ARGS=
terraform/destroy: ## terraform destroy; extra arguments in ARGS=
terraform/plan terraform/apply terraform/destroy: terraform/%: lambdas/check
	@$(TERRAFORM) $* $(TF_VARS) $(ARGS)

.PHONY: lambdas lambdas/check
lambdas: ## Build the Lambda functions' zips into target/lambda (ARCH=arm64, x86_64 or host)
ifeq ($(ARCH),host)
	@$(call need,cargo,https://rustup.rs)
	cargo build --locked --profile $(PROFILE) $(LAMBDAS:%=--package %)
	@for name in $(LAMBDAS); do $(PYTHON) scripts/lambda_package.py pack target/$(subst dev,debug,$(PROFILE))/$$name target/lambda/$$name.zip; done
else
	@export PATH="$(CURDIR)/$(VENV)/bin:$$PATH"; \
	  $(call need,cargo-lambda,$(VENV)/bin/pip install cargo-lambda brings it and the cross-compiler zig; or build for this machine: make lambdas ARCH=host); \
	  test -d "$$(rustc --print target-libdir --target $(LAMBDA_TARGET))" || { echo "make: Rust's standard library for $(ARCH) is missing: rustup target add $(LAMBDA_TARGET)" >&2; exit 1; }; \
	  set -x; cargo lambda build --skip-target-check --locked --profile $(PROFILE) --target $(LAMBDA_TARGET).$(LAMBDA_GLIBC) $(LAMBDAS:%=--package %)
	@for name in $(LAMBDAS); do $(PYTHON) scripts/lambda_package.py pack target/lambda/$$name/bootstrap target/lambda/$$name.zip; done
endif

# What is uploaded must be for the CPU that Lambda is told. Zips that are missing are Terraform's to miss: without the
# architecture lambda it needs none.
lambdas/check:
	@$(PYTHON) scripts/lambda_package.py check $(LAMBDA_CPU) $(wildcard $(LAMBDAS:%=target/lambda/%.zip))

API_COMMANDS = release rollback restore status
.PHONY: promote rollback $(API_COMMANDS:%=api/%) $(API_COMMANDS:%=local/api/%)
promote: $(VENV)/.ready ## Let prod of FUNCTION= serve VERSION= (default: the newest), and show the plan
	@$(call given,FUNCTION,string-replace)
	@functions=$$($(TERRAFORM) output -json functions); $(RELEASE) --functions "$$functions" promote $(FUNCTION) $(VERSION:%=--version %)
	@$(MAKE) terraform/plan

rollback: $(VENV)/.ready ## Let prod of FUNCTION= serve what it served before, and show the plan
	@$(call given,FUNCTION,string-replace)
	@functions=$$($(TERRAFORM) output -json functions); $(RELEASE) --functions "$$functions" rollback $(FUNCTION)
	@$(MAKE) terraform/plan

API_RELEASE = apis=$$($(TERRAFORM) output -json apis); $(RELEASE) --apis "$$apis"
PLAN        = $(MAKE) terraform/plan
STAGE      ?= prod

# The running make local is asked itself, and has no plan.
$(API_COMMANDS:%=local/api/%): API_RELEASE = $(PY) -m local.up.api --region $(REGION)
$(API_COMMANDS:%=local/api/%): PLAN = true

local/api/release: ## The four commands below against the running make local: local/api/release, rollback, restore and status
api/release: ## Let STAGE= (default: prod) of API= serve the newest definition as release VERSION= (BREAKING=yes even if it breaks callers), and show the plan
api/release local/api/release: $(VENV)/.ready
	@$(call given,API,lambda)
	@$(call given,VERSION,1.4.0)
	@$(API_RELEASE) api-release $(API) $(STAGE) $(VERSION) $(if $(filter yes,$(BREAKING)),--breaking)
	@$(PLAN)

api/rollback: ## Let STAGE= of API= serve an earlier release: the one before, or VERSION=; and show the plan
api/rollback local/api/rollback: $(VENV)/.ready
	@$(call given,API,lambda)
	@$(API_RELEASE) api-rollback $(API) $(STAGE) $(VERSION)
	@$(PLAN)

api/restore: ## Make a new API of the export FILE= alone; VARIABLES='name=value ...' if it has no manifest
api/restore local/api/restore: $(VENV)/.ready
	@$(call given,FILE,releases/lambda/1.4.0.yaml)
	@$(API_RELEASE) api-restore $(FILE) $(VARIABLES:%=--variable %)

api/status: ## Show what every stage of every API serves, and whether that is its release; API= for one alone
api/status local/api/status: $(VENV)/.ready
	@$(API_RELEASE) api-status $(API)

.PHONY: image image/push deploy
IMAGE ?= switchyard
TAG   ?= $(shell git rev-parse --short=12 HEAD)

image: ## Build the container's image as IMAGE=:TAG= (default: switchyard and the commit) for ARCH=
	@$(call need,docker,https://docs.docker.com/engine/install)
	docker build $(if $(filter host,$(ARCH)),,--platform linux/$(subst x86_64,amd64,$(ARCH))) --file fargate-app/Dockerfile --tag $(IMAGE):$(TAG) .

image/push: image ## Build the image, and push it to the deployed repository
	@$(call need,aws,https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html)
	@repository=$$($(TERRAFORM) output -raw image_repository_url); \
	  aws ecr get-login-password --region $(REGION) | docker login --username AWS --password-stdin "$${repository%%/*}"; \
	  docker tag $(IMAGE):$(TAG) "$$repository:$(TAG)"; \
	  docker push "$$repository:$(TAG)"

deploy: $(VENV)/.ready ## Let the container service run the pushed image TAG=, blue to green; the pipeline's way by hand
	@name=$$($(TERRAFORM) output -raw name); repository=$$($(TERRAFORM) output -raw image_repository_url); \
	  $(PY) scripts/deploy.py --name "$$name" --repository "$$repository" --tag $(TAG) --region $(REGION)

# The checks need no account: a data directory of their own, no backend.
OFFLINE_DATA = $(CURDIR)/target/terraform
OFFLINE      = TF_DATA_DIR="$(OFFLINE_DATA)" terraform -chdir=terraform

.PHONY: check check/terraform check/checkov openapi terraform/docs infracost/breakdown test/terraform test/terraform-root
check: check/terraform check/checkov ## Formatting, validation, lints and plans: everything that needs no build of a service
	@$(call need,cargo,https://rustup.rs)
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- --deny warnings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy scripts tests local fargate-app/deploy

# The tests' own modules are validated when they run.
check/terraform: $(VENV)/.ready
	@$(call need,terraform,https://developer.hashicorp.com/terraform/install (1.11 or newer))
	$(OFFLINE) fmt -check -recursive -diff
	@$(OFFLINE) init -backend=false -input=false >/dev/null
	$(OFFLINE) validate -no-tests
	TF_DATA_DIR="$(OFFLINE_DATA)" PYTHONPATH=tests $(PY) -m harness.provider terraform -chdir=terraform test

# checkov leaves out a file that it has not parsed within 10 s, which a busy machine may take; 0: no limit.
check/checkov: $(CHECKOV_VENV)/.ready
	HCL_PARSE_TIMEOUT_SEC=0 $(CHECKOV_VENV)/bin/checkov --config-file .checkov.yaml $(ARGS)

# A service of another repository brings its contract along; this one is asked of the binary.
openapi: $(VENV)/.ready ## Write the container's contract, and the private API's definition, into terraform/openapi
	@$(call need,cargo,https://rustup.rs)
	cargo build --locked --bin fargate-app
	@$(PY) scripts/openapi.py contract target/debug/fargate-app terraform/openapi/contracts/string.json
	@$(PY) scripts/openapi.py template

terraform/docs: $(VENV)/.ready ## Write the tables of inputs and outputs into the modules' READMEs
	@$(PY) scripts/terraform_docs.py

infracost/breakdown: ## What it costs at low, medium and high use (needs an Infracost API key); extra arguments in ARGS=
	@$(call need,infracost,https://www.infracost.io/docs (0.10 or 2))
	@infracost $(if $(findstring v0.,$(shell infracost --version 2>/dev/null)),breakdown --config-file infracost.yml,scan) $(ARGS)

test/terraform: $(VENV)/.ready ## The Terraform root: its own tests and plans, then a whole life of it
	@$(TESTS) test/terraform-root --beside test/terraform-cycle

test/terraform-root: check/terraform $(CHECKOV_VENV)/.ready
	$(PY) -m pytest tests/terraform

# Against the local control plane, with Terraform's own lines as they come: most of the time is the provider's waiting.
.PHONY: test/terraform-cycle test/matrix
test/terraform-cycle: $(VENV)/.ready ## Apply, change, re-plan and destroy everything against the local control plane
	@$(call need,terraform,https://developer.hashicorp.com/terraform/install (1.11 or newer))
	$(PY) -m pytest -s tests/control_plane tests/releases tests/terraform_cycle/test_cycle.py

test/matrix: $(VENV)/.ready ## The same for each architecture alone, with a domain and without (a quarter of an hour)
	@$(call need,terraform,https://developer.hashicorp.com/terraform/install (1.11 or newer))
	$(PY) -m pytest -s tests/terraform_cycle/test_matrix.py

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

$(CHECKOV_VENV)/.ready: requirements-checkov.txt
	@$(call need,$(PYTHON),install Python 3.11 or newer)
	@echo "checkov: installing it into $(CHECKOV_VENV) (a minute, once)"
	@test -x $(CHECKOV_VENV)/bin/python || $(PYTHON) -m venv $(CHECKOV_VENV)
	@$(CHECKOV_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-checkov.txt
	@touch $@
