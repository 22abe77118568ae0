# Everything a user or a contributor runs. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/mysql_on_kubernetes
export MYSQL_ON_KUBERNETES_CACHE := $(CACHE)
LAB ?= lab
export LAB
PYTHON ?= python3
# The environment is kept outside the checkout, keyed by what is in it.
VENV := $(CACHE)/venv-$(shell cat requirements.txt requirements-dev.txt | sha256sum | cut -c1-12)
BIN := $(VENV)/bin
# Ansible finds a checkout under its collection name by a link that git does not track; made anew each
# time, since a checkout may have been moved.
COLLECTION_ROOT := .ansible/collections/ansible_collections/mysql_on
RUN := PATH="$(BIN):$$PATH" tests/run

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: venv
venv: $(VENV)/.complete
	@mkdir -p $(COLLECTION_ROOT) && ln -sfn $(CURDIR) $(COLLECTION_ROOT)/kubernetes

$(VENV)/.complete:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or later is needed as $(PYTHON)" >&2; exit 1; }
	@echo "==> Python environment (pinned): $(VENV)"
	@rm -rf $(VENV) && mkdir -p $(CACHE)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.PHONY: site
site: venv ## From a fresh machine to a replicated, balanced database, with a summary (KUBECONFIG=... for your own cluster)
	@PATH="$(BIN):$$PATH" tools/site $(SITE_ARGS)

.PHONY: manifests
manifests: venv ## All that the roles make as plain YAML for kubectl: make manifests OUT=dir
	@test -n "$(OUT)" || { echo "OUT is empty: make manifests OUT=dir" >&2; exit 2; }
	@PATH="$(BIN):$$PATH" ansible-playbook --inventory inventories/example playbooks/manifests.yml \
	  -e manifests_folder="$(abspath $(OUT))" $(MANIFESTS_ARGS)

.PHONY: images
images: ## An image with all Python packages, for clusters without an index: IMAGES_REGISTRY=..., or IMAGES_LOAD=kind, k3s or minikube
	@IMAGES_REGISTRY="$(IMAGES_REGISTRY)" IMAGES_LOAD="$(IMAGES_LOAD)" IMAGES_BUILDER="$(IMAGES_BUILDER)" IMAGES_BASE="$(IMAGES_BASE)" IMAGES_INDEX="$(IMAGES_INDEX)" tools/images

.PHONY: doctor
doctor: venv ## Look at the lab's cluster and name each cause of what is wrong (KUBECONFIG=... for your own cluster)
	@PATH="$(BIN):$$PATH" ansible-playbook --inventory inventories/$(if $(KUBECONFIG),example,lab) playbooks/doctor.yml $(DOCTOR_ARGS)

.PHONY: test
test: venv ## The gate: lint, sanity, units, real servers, the site on a real Kubernetes
	@$(RUN) lint sanity package unit lab integration differential site

.PHONY: test-all
test-all: test ## The gate, then the long work: full matrices and benchmarks
	@$(RUN) long differential_long benchmarks

.PHONY: lint
lint: venv ## Static checks alone
	@$(RUN) lint

.PHONY: sanity
sanity: venv ## ansible-test sanity alone
	@$(RUN) sanity

.PHONY: package
package: venv ## Build the artifact and let galaxy-importer and antsibull-docs read it; OUT=dir keeps it
	@PATH="$(BIN):$$PATH" tools/package $(OUT)

.PHONY: unit
unit: venv ## Unit tests alone
	@$(RUN) unit

.PHONY: differential
differential: venv ## Look for histories that a tool gets wrong: make differential VERSION=9.7 ROUNDS=200 SEED=1 TOOL='recover-*'
	@PATH="$(BIN):$$PATH" PYTHONPATH=.ansible/collections python -m tests.differential --version $(or $(VERSION),9.7) --rounds $(or $(ROUNDS),50) --seed $(or $(SEED),1) $(if $(TOOL),--tool '$(TOOL)')

.PHONY: causes
causes: venv ## Write docs/causes.md from the catalogue, and docs/faults.md from the tests
	@$(BIN)/python tools/causes.py
	@$(BIN)/python tools/faults.py

.PHONY: docs
docs: venv ## The documentation site as HTML pages: make docs OUT=dir (default .site)
	@PATH="$(BIN):$$PATH" tools/docs $(abspath $(or $(OUT),.site))

.PHONY: role-readmes
role-readmes: venv ## Write the tables of variables in the roles' READMEs from their argument specs
	@$(BIN)/python tools/role_readmes.py

.PHONY: print-bin
print-bin:
	@echo $(BIN)

# The lab: a real Kubernetes on this machine; LAB=name for another one beside it.
LAB_PROGRAM := $(BIN)/python roles/lab/files/lab --lab $(LAB)
LAB_PLAYBOOK := PATH="$(BIN):$$PATH" ansible-playbook --inventory inventories/lab playbooks/lab.yml

.PHONY: lab
lab: venv ## A real Kubernetes on this machine: made, brought back, or left alone where it runs
	@$(LAB_PLAYBOOK)

.PHONY: lab-status
lab-status: venv ## How the lab is
	@$(LAB_PROGRAM) status >/dev/null

.PHONY: lab-client
lab-client: venv ## A command on the client host of the lab's LAN: make lab-client CMD='curl -s http://192.168.0.251/'
	@test -n "$$CMD" || { echo "CMD is empty: make lab-client CMD='curl -s http://192.168.0.251/'" >&2; exit 2; }
	@$(LAB_PROGRAM) client -- bash -c "$$CMD"

.PHONY: lab-down
lab-down: venv ## End the lab's processes, mounts, namespaces and routes; keep what it stores
	@$(LAB_PLAYBOOK) -e lab_state=stopped

.PHONY: lab-reset
lab-reset: venv ## Remove the lab with all that it stores
	@$(LAB_PLAYBOOK) -e lab_state=absent
