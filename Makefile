# A thin front to Meson, so that nobody needs to know it: make, make demo, make check.
# Set-up is part of each target: tools/setup.sh installs what is missing on Debian and Ubuntu, and says what elsewhere.

BUILD = build
FUZZ_SECONDS = 30
PREFIX = /usr/local
DESTDIR =

.DEFAULT_GOAL = build
.PHONY: help build demo web check check-web accuracy bench lint fuzz fuzz-api sanitize install format clean

# Show this list.
help:
	@awk '/^# /{text = substr($$0, 3)} /^[a-z-]+:/{if (text) printf "make %-9s %s\n", substr($$1, 1, length($$1) - 1), text; text = ""}' Makefile

# Build the program and the library into build/.
build: $(BUILD)/build.ninja
	@ninja -C $(BUILD) $(NINJA_FLAGS)

$(BUILD)/build.ninja:
	@tools/setup.sh build
	@log=$$(meson setup $(BUILD) --prefix $(PREFIX) 2>&1) || { echo "$$log"; exit 1; }

# See what it does: one model on two GPUs.
demo:
	@$(MAKE) --no-print-directory build NINJA_FLAGS=--quiet
	$(BUILD)/tonnage plan llama-2-70b --gpu a100-80gbx2

# Build the web page: files for any web server, and one file that needs none.
web:
	@tools/setup.sh web
	@log=$$(meson setup $(BUILD) $(if $(wildcard $(BUILD)/build.ninja),--reconfigure) -Dpage=enabled --prefix $(PREFIX) 2>&1) || { echo "$$log"; exit 1; }
	@ninja -C $(BUILD) page_files.c $(NINJA_FLAGS)
	@echo "$(BUILD)/web: for any web server; $(BUILD)/web/tonnage.html: the same in one file, to be opened as it is"

# Build and run all tests; the last line is the count.
check: build
	@tests/summary.py $(BUILD)

# Test the page in a browser, the core under WebAssembly, and what assistants are told by their reference clients.
check-web:
	@tools/setup.sh check-web
	@$(MAKE) --no-print-directory web build
	@ninja -C $(BUILD)/wasm --quiet unit_tests
	@tests/summary.py $(BUILD)/wasm --suite unit
	@node tests/web/run.mjs $(BUILD)
	@node tests/mcp/check_mcp.mjs $(BUILD)/tonnage build-tools

# Score the measured records; fail where a term is worse than the figures kept beside them.
accuracy: build
	@$(BUILD)/tonnage score tests/measured/*.jsonl
	@python3 tests/check_accuracy.py $(BUILD)/tonnage tests/measured
	@$(BUILD)/tonnage score tests/measured/llamacpp/*.jsonl
	@python3 tests/check_accuracy.py $(BUILD)/tonnage tests/measured/llamacpp

# Measure the speed of the parts that matter.
bench: build
	@tools/setup.sh bench
	@meson test -C $(BUILD) --benchmark --verbose

# Check style, warnings of gcc and clang, and what the static analysers say.
lint:
	@tools/setup.sh lint
	@tools/lint.sh

# Run every fuzz target for FUZZ_SECONDS seconds.
fuzz:
	@tools/setup.sh fuzz
	@tools/fuzz.sh build-fuzz $(FUZZ_SECONDS)

# Ask the server whatever its OpenAPI document allows, and what it does not.
fuzz-api: build
	@tools/fuzz_api.sh $(BUILD)/tonnage $(BUILD)/fuzz-api

# Run all tests with the address and undefined behaviour sanitizers.
sanitize:
	@tools/setup.sh build
	@test -f build-sanitize/build.ninja || meson setup build-sanitize -Db_sanitize=address,undefined
	@ninja -C build-sanitize
	@tests/summary.py build-sanitize

# Install to PREFIX (/usr/local), below DESTDIR if given.
install: build
	@meson configure $(BUILD) --prefix $(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD)

# Rewrite all C files in the one format.
format:
	@tools/setup.sh lint
	@tools/lint.sh --format

# Remove all that was built.
clean:
	rm -rf build build-*
