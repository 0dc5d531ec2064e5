# Everything but image and e2e-kind needs Go and nothing else. Where Kong is on PATH,
# run and test use it.
GO ?= go
VERSION ?= dev
SYFT ?= github.com/anchore/syft/cmd/syft@v1.57.1

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/kube-sync
	@examples/demo/progress.sh $(GO) build -v -ldflags '-X github.com/kube-sync/kube-sync/plugin/cli.Version=$(VERSION)' -o bin/kube-sync ./plugin

run: build ## try it out: a local gateway that follows the manifests in examples/local/ (ARGS=-h for settings)
	@examples/demo/progress.sh $(GO) build -v -o bin/demo ./examples/demo
	@exec bin/demo $(ARGS)

# The first run compiles the control plane, which go test's own time limit does not foresee.
test: ## run all tests; the last lines say which gateway they met and what was left out
	@$(GO) run ./e2e/testrun -count=1 -timeout 60m ./...

bench: ## run the benchmarks of the translation
	$(GO) test ./translate -run '^$$' -bench . -benchmem -benchtime 10x

bench-gateway: ## measure on a real Kong how soon changes are effective (an hour or more; ARGS='-sizes 100,1000 -changes 10')
	$(GO) test ./e2e/bench -run '^$$' -bench Gateway -benchtime 1x -timeout 0 -v -args $(ARGS)

bench-features: ## measure on a real Kong what requests cost that ask for more than a backend (some minutes)
	$(GO) test ./e2e/bench -run '^$$' -bench Features -benchtime 1x -timeout 0 -v

bench-requests: ## measure on a real Kong what a request costs by the number of routes (ten minutes)
	$(GO) test ./e2e/bench -run '^$$' -bench Requests -benchtime 1x -timeout 0 -v

conformance: ## run Gateway API's conformance suite (minutes, once it is built; ARGS="-quick -run 'HTTPRoute.*'" for single tests)
	$(GO) test ./e2e/conformance -run '^TestConformance$$' -count=1 -timeout 0 -v -args -official -version $(VERSION) $(ARGS)

tenants: ## hold on a real Kong what SECURITY.md promises, for 2 000 random pairs of namespaces too (an hour)
	$(GO) test ./e2e/tenants/attacks -count=1 -timeout 60m -v -run 'Tenants|SecurityPage'
	$(GO) test ./plugin/gateway -run '^TestTenantsOnKong$$' -count=1 -timeout 0 -v -args -worlds 2000

docs: ## build the manual as a site in docs/.vitepress/dist (needs Node.js)
	cd docs && npm ci --no-audit --no-fund && npm run build

release: ## build the binaries of a release, with SBOMs and checksums, in dist/ (VERSION=1.2.3)
	rm -rf dist && mkdir dist
	set -e; for target in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64; do \
		binary=dist/kube-sync_$(VERSION)_$${target%/*}_$${target#*/}; \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -trimpath \
			-ldflags '-s -w -X github.com/kube-sync/kube-sync/plugin/cli.Version=$(VERSION)' -o $$binary ./plugin; \
		$(GO) run $(SYFT) scan -q file:$$binary -o spdx-json=$$binary.spdx.json; \
	done
	cd dist && sha256sum kube-sync_* > SHA256SUMS

image: ## build the gateway's image (needs Docker)
	docker build -f docker/Dockerfile --build-arg VERSION=$(VERSION) -t kong-kube-sync:dev .

e2e-kind: ## run the end-to-end tests in a kind cluster (needs Docker)
	@e2e/kind/run.sh

generate: ## write the generated files: manifests, the chart's schema and page, the inventory, the embedded definitions, the pages of results
	$(GO) generate ./...

fmt: ## format the code
	$(GO) fmt ./...

lint: lint-lua ## check the code with golangci-lint and its settings in .golangci.yaml, and the Lua plugins
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

lint-lua: ## check the Lua plugins with luacheck, where it is on PATH
	@if command -v luacheck >/dev/null; then cd kong-conf/lua && luacheck --quiet .; \
		else echo 'luacheck is not on PATH (Debian: apt-get install lua-check): the Lua plugins are not checked'; fi

.PHONY: help build run test bench bench-gateway bench-features bench-requests conformance tenants docs release image e2e-kind generate fmt lint lint-lua
