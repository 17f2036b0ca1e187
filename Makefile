# `make help` lists the targets. They need Go, make and bash; everything else is
# fetched through Go modules or the system's package manager, into bin/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE ?= oidc-operator:$(VERSION)
CONTAINER_TOOL ?= docker
SCREENSHOTS ?= bin/screenshots
SOAK ?= 3m

TOOLS := bin/tools
GO_BUILD := env CGO_ENABLED=0 go build -trimpath
LDFLAGS := -s -w -X main.version=$(VERSION)
MODULES := . hack/image hack/kube hack/lint hack/tools test/applications/vault
# A busy machine takes longer than the 20 seconds that envtest gives an API server to start.
export KUBEBUILDER_CONTROLPLANE_START_TIMEOUT ?= 2m
export KUBEBUILDER_CONTROLPLANE_STOP_TIMEOUT ?= 2m
# What `generate` writes and `verify` compares.
GENERATED := api config/crd/bases config/rbac/role.yaml

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

##@ Use

.PHONY: demo
demo: build ## run everything on this machine and say how to log in (SHOW_SECRETS=1)
	@hack/progress.sh "build: bin/demo and bin/demo-app" $(GO_BUILD) -o bin/ ./hack/demo ./hack/demo-app
	@assets=$$(hack/kube/binaries.sh) && bin/demo -kube-assets "$$assets" $(if $(filter-out 0,$(SHOW_SECRETS)),-show-secrets) up

.PHONY: demo-down
demo-down: ## stop what `make demo` started
	@[ -x bin/demo ] || $(GO_BUILD) -o bin/ ./hack/demo
	@bin/demo down

.PHONY: build
build: ## bin/operator and bin/provider
	@mkdir -p bin
	@hack/progress.sh "build: bin/operator and bin/provider" $(GO_BUILD) -ldflags '$(LDFLAGS)' -o bin/ ./cmd/operator ./cmd/provider

.PHONY: image
image: ## one container image with both programs (IMAGE, CONTAINER_TOOL)
	@$(CONTAINER_TOOL) info >/dev/null 2>&1 || { echo "image: no container engine answers to '$(CONTAINER_TOOL) info'; start one or set CONTAINER_TOOL" >&2; exit 1; }
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) -t $(IMAGE) .

##@ Prove

# Without the cache of test results: it does not see the programs that some tests build and run.
# KUBE_CACHE_MUTATION_DETECTOR ends the tests when the operator changes an object of its cache, some of which it reads without copying.
.PHONY: test
test: bin/vault/vault ## every test: unit, real API server, browser, PostgreSQL, openid-client, Synapse, Django, Vault's plugin (installs Chromium, PostgreSQL, Node.js, Python where missing)
	@hack/chromium.sh
	@hack/openid-client.sh
	@hack/postgres.sh
	@hack/virtualenv.sh synapse matrix-synapse
	@hack/virtualenv.sh django mozilla-django-oidc
	@assets=$$(hack/kube/binaries.sh) && echo "test: go test ./... (the first run compiles for some minutes)" && \
		KUBE_CACHE_MUTATION_DETECTOR=true KUBEBUILDER_ASSETS="$$assets" go test -count=1 -p 2 -timeout 40m ./...

.PHONY: e2e
e2e: ## the stories that need a real node: kubelet, containerd, Services (as root; E2E='-run Name' for some; installs containerd, runc, ... where missing)
	@hack/e2e.sh $(E2E)

.PHONY: lint
lint: $(TOOLS)/golangci-lint ## golangci-lint with kube-api-linter
	@hack/progress.sh "lint" $(TOOLS)/golangci-lint run ./...
	@echo "lint: ok"

.PHONY: verify
verify: $(TOOLS)/kustomize ## generated files, go.mod files and manifests are in order, go vet is content
	@hack/verify.sh $(GENERATED) -- $(MODULES)
	@hack/progress.sh "verify: go vet" go vet -tags e2e ./...
	@for d in config/default config/prometheus config/samples; do $(TOOLS)/kustomize build $$d >/dev/null; done
	@echo "verify: ok"

.PHONY: screenshots
screenshots: ## pictures of every page in every language, scheme and size (SCREENSHOTS=bin/screenshots)
	@hack/chromium.sh
	@mkdir -p $(SCREENSHOTS) && SCREENSHOTS="$$(realpath $(SCREENSHOTS))" go test -count=1 -timeout 20m -run '^TestAppearance$$' ./test/browser
	@echo "screenshots: $(SCREENSHOTS)"

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (10m)
	@hack/fuzz.sh

.PHONY: bench
bench: ## measure what docs/benchmarks.md records
	@hack/postgres.sh
	@assets=$$(hack/kube/binaries.sh) && KUBEBUILDER_ASSETS="$$assets" go run ./test/bench

.PHONY: soak
soak: ## logins, refreshes and machines' calls for SOAK (3m), while keys and secrets rotate and everything is restarted and killed: none may fail
	@hack/postgres.sh
	@assets=$$(hack/kube/binaries.sh) && KUBEBUILDER_ASSETS="$$assets" go run ./test/soak -duration $(SOAK)

.PHONY: bench-operator
bench-operator: ## measure the operator with 1,000 and 10,000 clients (CLIENTS=200 is quick)
	@assets=$$(hack/kube/binaries.sh) && KUBEBUILDER_ASSETS="$$assets" go run ./test/bench -only operator $(if $(CLIENTS),-clients $(CLIENTS))

##@ Change

.PHONY: generate
generate: $(TOOLS)/controller-gen ## deep copies, apply configurations, CRDs and the operator's role
	@hack/progress.sh "generate: from api" $(TOOLS)/controller-gen paths=./api/... object applyconfiguration crd output:crd:dir=config/crd/bases
	@hack/progress.sh "generate: from controllers" $(TOOLS)/controller-gen paths=./controllers/... rbac:roleName=oidc-operator output:rbac:dir=config/rbac

.PHONY: fmt
fmt: $(TOOLS)/golangci-lint ## gofumpt and goimports
	@$(TOOLS)/golangci-lint fmt

.PHONY: tidy
tidy: ## go mod tidy in every module
	@for m in $(MODULES); do (cd $$m && go mod tidy); done

# What test/applications logs people in to as Vault. A module of its own, for its many dependencies.
bin/vault/vault: $(wildcard test/applications/vault/*)
	@cd test/applications/vault && ../../../hack/progress.sh "vault: building Vault's plugin for OIDC" $(GO_BUILD) -o ../../../$@ .
	@touch $@

# ---- tools, pinned by their go.mod and rebuilt when it changes

$(TOOLS)/controller-gen: package = sigs.k8s.io/controller-tools/cmd/controller-gen
$(TOOLS)/kustomize: package = sigs.k8s.io/kustomize/kustomize/v5
$(TOOLS)/setup-envtest: package = sigs.k8s.io/controller-runtime/tools/setup-envtest
$(TOOLS)/controller-gen $(TOOLS)/kustomize $(TOOLS)/setup-envtest: hack/tools/go.mod hack/tools/go.sum
	@cd hack/tools && ../progress.sh "tools: building $(@F)" $(GO_BUILD) -ldflags '-s -w' -o ../../$@ $(package)
	@touch $@

$(TOOLS)/golangci-lint: hack/lint/go.mod hack/lint/go.sum hack/lint/main.go
	@cd hack/lint && ../progress.sh "tools: building $(@F)" $(GO_BUILD) -ldflags '-s -w' -o ../../$@ .
	@touch $@
