# Everything here needs Go and nothing else; where Kong is on PATH, run uses it.
GO ?= go

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/kube-sync
	$(GO) build -o bin/kube-sync ./plugin

run: build ## try it out: a local gateway that follows the manifests in examples/ (ARGS=-h for settings)
	@$(GO) build -o bin/demo ./e2e/demo
	@exec bin/demo $(ARGS)

test: ## run all tests under the race detector
	$(GO) test -race ./...

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

fmt: ## format the code
	$(GO) fmt ./...

vet: ## check the code for what compiles and is wrong
	$(GO) vet ./...

.PHONY: help build run test bench fmt vet
