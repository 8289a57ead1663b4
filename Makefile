# Peripety: `make` builds the programs, `make help` lists all targets. Most targets run a script in scripts/, whose head explains it.

SHELL := /bin/bash
.DEFAULT_GOAL := build
export DESTDIR prefix bindir sbindir libdir datadir sysconfdir PROGRAMS LIVE SCENARIO ROUND RECORD KEEP MINUTES SEED SABOTAGE SOURCE OLD NEW SAMPLE LIST
.PHONY: help deps build run demo check test lint fmt doc docs generate answers deny bench coverage kernel-coverage check-more torture lab lab-shell install uninstall clean

help: ## List all targets
	@sed -n 's/^\([a-z-]*\): .*## \(.*\)$$/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do printf '%-18s %s\n' "$$target" "$$text"; done

deps: ## Install the packages that are needed to build, run and check Peripety (as root), or list them
	@scripts/deps.sh check

build: ## Build target/release/peripetyd and target/release/prpt (the default target)
	@scripts/deps.sh build
	@scripts/cargo.sh build --release --workspace --exclude peripety-kernel-coverage

run: ## Build, then run the daemon in the foreground on this machine's journal or on a recorded incident: LIVE=1
	@scripts/run.sh

demo: ## Demonstrate daemon, prpt and Python client on a recorded incident
	@scripts/demo.sh

check: ## Check everything: format, lints, documentation, build, all tests
	@scripts/check.sh

check-more: ## Run the slow checks: ignored tests, a minute of torture, the fuzz targets
	@scripts/check-more.sh

torture: ## Kill, stop, fill, remove and damage everything while events flow, and check every line: MINUTES=10, SEED=
	@scripts/torture.sh

test: ## Run all tests
	@scripts/deps.sh check
	@scripts/cargo.sh test --workspace

lint: ## Lint the Rust code with clippy
	@scripts/deps.sh check
	@scripts/cargo.sh clippy --workspace --all-targets -- -D warnings

fmt: ## Format the Rust code
	@scripts/deps.sh check
	@scripts/cargo.sh fmt --all

doc: ## Build the API documentation: target/doc
	@scripts/deps.sh build
	@scripts/cargo.sh doc --workspace --no-deps

docs: ## Update what is generated from the rules: the table in docs/events.md, the journal catalog
	@scripts/deps.sh check
	@BLESS=1 scripts/cargo.sh test --quiet --test all documents::

generate: ## Generate from io.peripety.varlink: library, C getters, header, man page, Python fields, tables in docs/
	@scripts/deps.sh check
	@BLESS=1 scripts/cargo.sh test --quiet -p peripety-generate --test up_to_date

answers: ## Update the expected answers about recorded device trees: review the differences
	@scripts/deps.sh check
	@BLESS=1 scripts/cargo.sh test --quiet -p peripety-blkinfo --all-features --test fixtures --test json

deny: ## Check licences, bans and sources of all dependencies (deny.toml)
	@scripts/deny.sh

bench: ## Measure speed and memory of the matcher and the whole pipeline, compared with journalctl: BENCH=
	@scripts/deps.sh run
	@scripts/cargo.sh bench --quiet -p peripety --bench speed -- $(BENCH)

coverage: ## Measure how many messages of real machines are recognised, and print those judged wrongly
	@scripts/deps.sh build
	@scripts/cargo.sh test --quiet --test all -- --nocapture coverage:: excerpts::

kernel-coverage: ## Measure which messages of a kernel's storage code are recognised: SOURCE=linux-source-6.12, or OLD= and NEW=
	@scripts/kernel-coverage.sh

lab: ## Run the daemon against failing storage in a virtual machine (as root, Debian): ROUND=short, SCENARIO=multipath
	@scripts/lab.sh

lab-shell: ## Open a shell in the lab's virtual machine
	@scripts/lab.sh shell

install: ## Install below DESTDIR and prefix (/usr/local); scripts/install.sh lists all variables
	@scripts/install.sh install

uninstall: ## Remove the installed files, except the configuration
	@scripts/install.sh uninstall

clean: ## Remove everything that was built or downloaded: target and .cache
	@rm -rf target .cache
