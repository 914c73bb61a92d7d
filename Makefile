# LakePulse. Bare `make` prints the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

export LAKEPULSE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/lakepulse
# Outside the checkout, so that a second clone compiles only the workspace itself.
export CARGO_TARGET_DIR ?= $(LAKEPULSE_CACHE)/target
export LAKEPULSE_ROOT := $(CURDIR)

binaries := lakepulse lakepulse-stack lakepulse-cdc lakepulse-wwi lakepulse-bronze lakepulse-silver lakepulse-gold
stack := bin/lakepulse-stack
# Tests are compiled together with the binaries: their dependencies have features of their own, and would compile twice.
targets ?= --bins
p ?= servers
seconds ?= 30
kills ?= 300
queries ?= 500
trigger ?= 0
cases ?= 1000000

.PHONY: help
help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup ## Set up, start the stack, and watch changes travel from PostgreSQL to gold
	bin/lakepulse demo

.PHONY: test
test: ## Set up and run all tests against servers of their own
	@$(MAKE) --no-print-directory setup stores=--all-stores targets="--lib --bins --tests --examples"
	scripts/test

.PHONY: test-pipeline
test-pipeline: setup ## Crash every part of the pipeline under load, and compare silver with the source each time
	$(stack) exec --own servers -- scripts/live jobs/lakepulse -- --include-ignored

.PHONY: test-views
test-views: setup ## Compare live views with the source, in Spark and in Trino
	$(stack) exec --own servers -- env -u LAKEPULSE_SOURCE_PASSWORD scripts/live jobs/medallion -- --ignored

.PHONY: test-consistency
test-consistency: setup ## Ask Trino and Spark queries=500 times for a sum over live views, while everything moves
	LAKEPULSE_CONSISTENCY_QUERIES=$(queries) $(stack) exec --own servers -- scripts/live jobs/lakepulse -- --ignored consistency

.PHONY: stress-client
stress-client: setup ## Cut, starve and kill the connection of spark_client to its server, at full length
	LAKEPULSE_STRESS=full scripts/stress-client

.PHONY: bench-client
bench-client: setup ## Measure spark_client beside PySpark and crate apache-spark-connect
	scripts/bench-client

.PHONY: test-storm
test-storm: setup ## Kill capture, Kafka, registry and PostgreSQL at random while tables change, kills=300 times; trigger=1 installs the event trigger
	LAKEPULSE_STORM_KILLS=$(kills) LAKEPULSE_STORM_TRIGGER=$(trigger) $(stack) exec --own ingest -- scripts/live jobs/cdc -- storm

.PHONY: bench-cdc
bench-cdc: setup ## Measure lakepulse-cdc beside the WAL sender's own speed
	scripts/bench-cdc

.PHONY: golden-cdc
golden-cdc: setup ## Compare lakepulse-cdc's records with those of Debezium, which reads the same log
	$(stack) exec --own ingest -- scripts/golden-cdc --peer --variant defaults --variant texts --variant connect --variant nanoseconds
	$(stack) exec --own ingest -- scripts/golden-cdc --peer --variant transforms --variant transactions --variant microseconds --variant time_microseconds --variant messages

.PHONY: memory-cdc
memory-cdc: setup ## Measure the memory of lakepulse-cdc: one large transaction, many tables, one large value
	scripts/bench-cdc --memory

.PHONY: fuzz
fuzz: ## Fuzz spark_client; seconds=30 for each target
	scripts/fuzz $(seconds)

.PHONY: fuzz-cdc
fuzz-cdc: ## Feed random bytes to what reads PostgreSQL's messages; cases=1000000 for each reader
	PROPTEST_CASES=$(cases) cargo test --locked --release -p lakepulse-cdc --lib any_

.PHONY: setup
setup: ## Install what the servers need and build the binaries, side by side
	@native/install --prerequisites
	@native/install $(stores) & install=$$!; \
	trap 'kill $$install 2>/dev/null' INT TERM; \
	$(MAKE) --no-print-directory build; built=$$?; \
	wait $$install && exit $$built

.PHONY: build
build: ## Compile the binaries into bin/
	cargo build --locked --workspace $(targets)
	@mkdir -p bin
	@for name in $(binaries); do \
	  cmp -s $(CARGO_TARGET_DIR)/debug/$$name bin/$$name || { cp $(CARGO_TARGET_DIR)/debug/$$name bin/.$$name && mv bin/.$$name bin/$$name; } || exit 1; \
	done

.PHONY: up
up: ## Start servers in the background; p=source|ingest|lake|sql|servers|all or names of services
	$(stack) up $(p)

.PHONY: down
down: ## Stop all servers; data stays
	$(stack) down

.PHONY: status
status: ## Show the servers
	$(stack) status

.PHONY: logs
logs: ## Follow a server's log; s=NAME
	tail -n 50 -F "$$($(stack) home)/log/$(s).log"

.PHONY: sql
sql: ## A Trino prompt on the lakehouse
	@$(stack) exec -- bash -c 'exec var/dist/jdk/bin/java -jar var/dist/trino/bin/trino --server "$$LAKEPULSE_TRINO" --catalog lakehouse'

.PHONY: clean-data
clean-data: down ## Stop all servers and remove their data, logs and credentials
	rm -rf "$$($(stack) home)"

.PHONY: lint
lint: ## rustfmt, clippy, cargo deny, file lengths
	scripts/lint

.PHONY: docs
docs: ## Build the API documentation
	cargo doc --locked --workspace --no-deps
