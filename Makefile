.DEFAULT_GOAL := help
.PHONY: help quickstart test lint generate cluster bench bench-times bench-index bench-thousand bench-memory bench-cuts compare-paths soak crashes leader api-server rest faults like-helm fuzz

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

quickstart: ## a chart published into a registry of a cluster, before your eyes (QUICKSTART_CLUSTER=current for yours)
	@tests/quickstart.sh

test: ## all tests; as root also those on real nodes
	@tests/tools/with-bed.sh cargo test --no-fail-fast --features failpoints

lint: ## formatting, clippy, licences and sources of dependencies, shell syntax
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo metadata --quiet --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null
	cargo clippy --all-targets --all-features --quiet -- -D warnings
	@for script in $$(git ls-files '*.sh' .ci/run); do bash -n "$$script" || exit 1; done
	@tests/tools/deny.sh

generate: ## what is committed and not written by hand: CRDs, rendered manifests
	@cargo build --quiet
	@deploy/generate.sh "$${CARGO_TARGET_DIR:-target}/debug/chart-publisher" "$$(tests/tools/install.sh)/helm"

cluster: ## a cluster in the foreground, until Ctrl-C; prints how to use it (PODS=1: one that runs Pods)
	@cargo build --bins --example bed
	@exec "$${CARGO_TARGET_DIR:-target}/debug/examples/bed" up $(if $(PODS),--mode pods) --keep-in-foreground

# The long forms of tests/figures, in a release build; one at a time, since they measure.
figures = RUST_BACKTRACE=0 cargo test --quiet --release --test figures -- --ignored --nocapture --test-threads 1

bench: ## all figures of docs/performance.md, each with its bound (an hour, after a release build)
	@$(figures)

bench-times: ## seconds beside curl, helm, oras and a bare loop, as ratios (12 minutes)
	@$(figures) large:: many::

bench-cuts: ## what cuts cost, and tokens that expire on the way (12 minutes)
	@$(figures) cuts:: tokens::

bench-index: ## an index of 50 MiB beside helm: seconds and memory (two minutes)
	@$(figures) index::

bench-thousand: ## 1,000 charts in one publication beside the bare loop and regsync; 1,000 publications (20 minutes)
	@$(figures) thousand::

bench-memory: ## 64 charts of 90 MiB, also through Relay (15 minutes, 25 GiB of disk)
	@$(figures) memory::

compare-paths: ## hostile paths × push, helm, oras, crane, skopeo, regctl: what arrives, as a table (ten minutes)
	@cargo test --quiet --test fault_bed compare_paths -- --ignored --nocapture

soak: ## 200 publications over a path that breaks in another way every 10 s, and a puller that looks at each tag (eleven minutes, as root)
	@cargo test --quiet --test broken_paths soak::soak -- --ignored --nocapture

crashes: ## kill -9 at 200 random moments of 50 publications, on distribution 2 and 3 (40 minutes)
	@cargo test --quiet --test crashes kills::kills -- --ignored --nocapture

leader: ## the leader of two replicas stopped past its lease at 200 moments of publishing: who writes which tag (25 minutes)
	@cargo test --quiet --test leader stops::stops -- --ignored --nocapture

api-server: ## 100 publications while the API server is restarted 20 times, compacted, and refuses: each published once (six minutes, as root)
	@cargo test --quiet --test api_server_trouble restarts::twenty_restarts -- --ignored --nocapture

rest: ## 100 publications at rest for five minutes: who is asked, by the logs of registry, source and API server (seven minutes)
	@cargo test --quiet --test rest rest -- --ignored --nocapture

faults: ## each known fault × each method × real and scripted registries: what becomes of a chart, as docs/faults.md (three minutes)
	@cargo test --quiet --test fault_matrix faults -- --ignored --nocapture

like-helm: ## 200 generated charts by helm v3 and v4, with and without provenance: config and manifest, byte for byte (three minutes)
	@cargo test --quiet --test chart_like_helm two_hundred -- --ignored --nocapture

fuzz: ## what reads untrusted input, under libFuzzer: each target for 60 s (FUZZ_SECONDS), two at once (six minutes, after a build)
	@fuzz/run.sh $(TARGETS)
