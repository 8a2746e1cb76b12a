# Tierbed's only build file. `make help` lists the targets.
# Variants: release (default), SAN=address,undefined, COVERAGE=1, CC=clang; each has its own folder below build/.
# FUZZ=1 and VALGRIND=1 are variants too, used by the targets of those names.

ifeq ($(origin CC),default)
  CC := gcc
endif
MPICC ?= mpicc
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
DESTDIR ?=
MARCH ?= native
CFLAGS ?= -O3 -g
WERROR ?=
FUZZ_SECONDS ?= 10
SEEDS ?= 1..200

VERSION := 0.2.0
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

empty :=
comma := ,
VARIANT := release
VARIANT_FLAGS :=
ifdef SAN
  VARIANT := san-$(subst $(comma),-,$(SAN))
  VARIANT_FLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -O1
else ifdef COVERAGE
  VARIANT := coverage
  VARIANT_FLAGS := --coverage -O0
else ifdef FUZZ
  VARIANT := fuzz
  VARIANT_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1
else ifdef VALGRIND
  # valgrind knows no AVX-512, and that of Debian 12 no DWARF 5 as clang writes it
  VARIANT := valgrind
  VARIANT_FLAGS := -O1 -gdwarf-4
  MARCH := $(if $(filter x86_64,$(shell uname -m)),x86-64-v2,native)
endif
ifneq ($(notdir $(CC)),gcc)
  VARIANT := $(VARIANT)-$(notdir $(CC))
endif

BUILD := build/$(VARIANT)
OBJ := $(BUILD)/obj
BIN := $(BUILD)/bin
TESTBIN := $(BUILD)/tests
FUZZBIN := $(BUILD)/targets

PACKAGES := libsodium sqlite3 libcrypto yaml-0.1 jansson fftw3 matio zlib
WARNINGS := -Wall -Wextra -Wshadow -Wconversion $(WERROR)
TIERBED_CFLAGS := -std=c11 -D_GNU_SOURCE -I. $(WARNINGS) -march=$(MARCH) -fno-math-errno -fno-trapping-math \
  -ffp-contract=off $(shell $(PKG_CONFIG) --cflags $(PACKAGES)) $(CFLAGS) $(VARIANT_FLAGS) -MMD -MP
TIERBED_LDFLAGS := $(LDFLAGS) $(VARIANT_FLAGS)
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lm
MPI_CFLAGS := $(shell $(PKG_CONFIG) --cflags ompi-c 2>/dev/null || $(MPICC) -show | tr ' ' '\n' | grep '^-I')
MPI_LIBS := $(shell $(PKG_CONFIG) --libs ompi-c 2>/dev/null || $(MPICC) -show | tr ' ' '\n' | grep -E '^-(L|l|Wl)')

MPI_SOURCES := common/net/bus_mpi.c common/net/doorbell.c
COMMON_SOURCES := $(filter-out $(MPI_SOURCES),$(wildcard common/*/*.c))
SCHEME_SOURCES := $(wildcard schemes/*.c schemes/*/*.c)
NODE_SOURCES := $(filter-out %/main.c,$(wildcard nodes/*.c nodes/*/*.c))
ROLE_MAINS := $(wildcard nodes/*/main.c)
CLI_MAIN := cli/tierbed.c
CLI_SOURCES := $(filter-out $(CLI_MAIN) %_main.c,$(wildcard cli/*.c))
BENCH_SOURCES := $(filter-out %_main.c,$(wildcard bench/*.c))
CAMPAIGN_SOURCES := $(filter-out %_main.c,$(wildcard campaign/*.c))
BENCH_MAINS := $(wildcard bench/*_main.c)
MUTANT_SOURCES := campaign/mutants_main.c \
  $(filter-out %main.c %_cli.c,$(wildcard nodes/chain/*.c common/ledger/*.c campaign/*.c))
TEST_LIB_SOURCES := $(wildcard tests/lib/*.c)
UNIT_TESTS := $(wildcard tests/base/test_*.c tests/time/test_*.c tests/net/test_*.c tests/model/test_*.c \
  tests/data/test_*.c tests/record/test_*.c tests/learn/test_*.c tests/schemes/test_*.c tests/nodes/test_*.c \
  tests/cli/test_*.c tests/bench/test_*.c tests/ledger/test_*.c tests/campaign/test_*.c)
MPI_TESTS := $(wildcard tests/mpi/test_*.c)
FUZZ_TESTS := $(wildcard tests/fuzz/fuzz_*.c)

# The learning core is compiled twice (common/learn/real.h): $(OBJ) holds it in single, $(OBJ64) in double precision.
# tests/learn/test_*_fp64.c are linked with the latter. The golden checks need both in one program: the names of the
# double ones end in _fp64 there.
LEARN_SOURCES := $(wildcard common/learn/*.c)
GOLDEN_SOURCES := $(wildcard cli/golden_*.c)
OBJ64 := $(BUILD)/obj64

objects = $(patsubst %.c,$(OBJ)/%.o,$(1))
objects64 = $(patsubst %.c,$(OBJ64)/%.o,$(1))
renamed64 = $(patsubst %.c,$(OBJ64)/%.fp64.o,$(1))
LIBLEARN64 := $(BUILD)/liblearn64.a
LIBTIERBED := $(BUILD)/libtierbed.a
LIBCLI := $(BUILD)/libtierbed-cli.a
ROLE_PROGRAMS := $(patsubst nodes/%/main.c,$(BIN)/tierbed-%,$(ROLE_MAINS))
BENCH_PROGRAMS := $(patsubst bench/%_main.c,$(BIN)/tierbed-bench-%,$(BENCH_MAINS))
PROGRAMS := $(BIN)/tierbed $(BIN)/tierbed-probe $(BIN)/tierbed-mutants $(ROLE_PROGRAMS) $(BENCH_PROGRAMS)
UNIT_TEST_PROGRAMS := $(patsubst tests/%.c,$(TESTBIN)/%,$(UNIT_TESTS))
MPI_TEST_PROGRAMS := $(patsubst tests/%.c,$(TESTBIN)/%,$(MPI_TESTS))
FUZZ_PROGRAMS := $(patsubst tests/fuzz/fuzz_%.c,$(FUZZBIN)/%,$(FUZZ_TESTS))

.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

# ---------------------------------------------------------------------------------------------- programs

.PHONY: all help programs unit-programs
all: $(PROGRAMS) build/bin ## Build every program into build/<variant>/bin

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-zA-Z_-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile
	@echo; echo "  Variants: SAN=address,undefined  COVERAGE=1  CC=clang  MARCH=x86-64-v2  CFLAGS=...  WERROR=-Werror"

build/bin: | $(BIN)
	@ln -sfn release/bin build/bin

$(BIN) $(FUZZBIN):
	@mkdir -p $@

# Other flags than last time: everything of this variant is built again.
$(BUILD)/flags.txt: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(TIERBED_CFLAGS) $(TIERBED_LDFLAGS)' | cmp -s - $@ || \
	  echo '$(CC) $(TIERBED_CFLAGS) $(TIERBED_LDFLAGS)' > $@

# The commit is the only thing that changes with every commit: kept in one small object.
$(BUILD)/commit.txt: FORCE
	@mkdir -p $(@D)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' > $@
.PHONY: FORCE # .SECONDARY: above would otherwise take it for an intermediate file that nobody needs
FORCE:

$(OBJ)/%.o: %.c $(BUILD)/flags.txt
	@mkdir -p $(@D)
	$(CC) $(TIERBED_CFLAGS) $(EXTRA_CFLAGS) -c $< -o $@

$(OBJ64)/%.o: %.c $(BUILD)/flags.txt
	@mkdir -p $(@D)
	$(CC) $(TIERBED_CFLAGS) $(EXTRA_CFLAGS) -DLEARN_DOUBLE -c $< -o $@

$(OBJ64)/names.txt: $(call objects64,$(LEARN_SOURCES) $(GOLDEN_SOURCES))
	nm -P -g --defined-only $^ | awk 'NF > 1 {print $$1, $$1 "_fp64"}' | LC_ALL=C sort -u > $@

$(OBJ64)/%.fp64.o: $(OBJ64)/%.o $(OBJ64)/names.txt
	objcopy --redefine-syms=$(OBJ64)/names.txt $< $@

$(LIBLEARN64): $(call objects64,$(LEARN_SOURCES))
	@rm -f $@
	ar rcs $@ $^

$(call objects,$(MPI_SOURCES) $(MPI_TESTS)): EXTRA_CFLAGS = $(MPI_CFLAGS)
# Unrolled products of many shapes: with sanitizers in each load and store, compilers need minutes for one of these. valgrind
# looks at them instead.
ifneq ($(SAN)$(FUZZ),)
  KERNEL_SOURCES := common/learn/matrix_tile.c common/learn/conv_kernel.c
  $(call objects,$(KERNEL_SOURCES)) $(call objects64,$(KERNEL_SOURCES)): EXTRA_CFLAGS = -fno-sanitize=all
endif
$(OBJ)/common/base/version.o: EXTRA_CFLAGS = -DTIERBED_VERSION='"$(VERSION)"' -DTIERBED_COMMIT='"$(COMMIT)"' \
  -DTIERBED_CFLAGS_TEXT='"$(CFLAGS) -march=$(MARCH) $(VARIANT_FLAGS)"' -DTIERBED_VARIANT='"$(VARIANT)"'
$(OBJ)/common/base/version.o: $(BUILD)/commit.txt Makefile

$(LIBTIERBED): $(call objects,$(COMMON_SOURCES) $(SCHEME_SOURCES) $(NODE_SOURCES) $(BENCH_SOURCES) $(CAMPAIGN_SOURCES))
	@rm -f $@
	ar rcs $@ $^

$(LIBCLI): $(call objects,$(CLI_SOURCES)) $(call renamed64,$(LEARN_SOURCES) $(GOLDEN_SOURCES))
	@rm -f $@
	ar rcs $@ $^

$(BIN)/tierbed: $(call objects,$(CLI_MAIN)) $(LIBCLI) $(LIBTIERBED) | $(BIN)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS)

$(BIN)/tierbed-probe: $(OBJ)/cli/probe_main.o $(call objects,$(MPI_SOURCES)) $(LIBTIERBED) | $(BIN)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) $(MPI_LIBS)

# The validators and the campaign once more, with known mistakes that can be switched on; the rest is as it is.
$(OBJ)-mutants/%.o: %.c $(BUILD)/flags.txt
	@mkdir -p $(@D)
	$(CC) $(TIERBED_CFLAGS) -DTIERBED_MUTANTS -c $< -o $@

$(BIN)/tierbed-mutants: $(patsubst %.c,$(OBJ)-mutants/%.o,$(MUTANT_SOURCES)) $(LIBTIERBED) | $(BIN)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS)

$(BIN)/tierbed-bench-%: $(OBJ)/bench/%_main.o $(call objects,$(MPI_SOURCES)) $(LIBTIERBED) | $(BIN)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) $(MPI_LIBS)

$(BIN)/tierbed-%: $(OBJ)/nodes/%/main.o $(call objects,$(MPI_SOURCES)) $(LIBTIERBED) | $(BIN)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) $(MPI_LIBS)

$(TESTBIN)/mpi/%: $(OBJ)/tests/mpi/%.o $(call objects,$(TEST_LIB_SOURCES) $(MPI_SOURCES)) $(LIBTIERBED)
	@mkdir -p $(@D)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka $(MPI_LIBS)

$(TESTBIN)/cli/%: $(OBJ)/tests/cli/%.o $(call objects,$(TEST_LIB_SOURCES)) $(LIBCLI) $(LIBTIERBED)
	@mkdir -p $(@D)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(TESTBIN)/learn/%_fp64: $(OBJ64)/tests/learn/%_fp64.o $(call objects,$(TEST_LIB_SOURCES)) $(LIBLEARN64) $(LIBTIERBED)
	@mkdir -p $(@D)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(TESTBIN)/%: $(OBJ)/tests/%.o $(call objects,$(TEST_LIB_SOURCES)) $(LIBTIERBED)
	@mkdir -p $(@D)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(FUZZBIN)/catch_up: $(OBJ)/tests/lib/ledger_rig.o
$(FUZZBIN)/%: $(OBJ)/tests/fuzz/fuzz_%.o $(LIBCLI) $(LIBTIERBED) | $(FUZZBIN)
	$(CC) $(TIERBED_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

programs: $(PROGRAMS)
unit-programs: $(UNIT_TEST_PROGRAMS) $(MPI_TEST_PROGRAMS)
fuzz-programs: $(FUZZ_PROGRAMS)

# ------------------------------------------------------------------------------------------------- use

.PHONY: demo bench results campaign
demo: all ## Run the factory with real MPI processes; ends with the summary and the path of the report
	@build/bin/tierbed run experiments/factory/quickstart.yaml

bench: all ## Measure the event queue (PHOLD), the bus and steps of learning on this machine
	@build/bin/tierbed bench phold
	@build/bin/tierbed bench bus
	@build/bin/tierbed bench learn

campaign: all ## Look for mistakes in validators: SEEDS worlds under faults (default 1..200), and every known mistake
	@build/bin/tierbed campaign chain --seeds $(SEEDS)
	@build/bin/tierbed campaign chain --mutants

results: all ## Run every figure of CPDRL and of the chain (some minutes) and write docs/results/cpdrl.md and chain.md
	@build/bin/tierbed experiment run cpdrl --report docs/results/cpdrl.md
	@build/bin/tierbed experiment run chain --report docs/results/chain.md

# ------------------------------------------------------------------------------------------------- tests

.PHONY: test check valgrind fuzz fuzz-programs coverage
test: all unit-programs ## Run every test; the last line is "N passed, N failed"
	@tests/run_tests.sh --build $(BUILD) unit cli mpi browser layers

check: all unit-programs ## The quick part: unit tests, command line, layers
	@tests/run_tests.sh --build $(BUILD) unit cli layers

unit: unit-programs ## Unit tests only (with SAN=... or COVERAGE=1 too)
	@tests/run_tests.sh --build $(BUILD) unit

valgrind: ## Unit tests under valgrind (a build of its own)
	@$(MAKE) --no-print-directory VALGRIND=1 unit-programs
	@tests/run_tests.sh --build build/valgrind$(if $(filter-out gcc,$(notdir $(CC))),-$(notdir $(CC))) --valgrind unit

fuzz: ## Fuzz every decoder and parser for FUZZ_SECONDS each (clang)
	@$(MAKE) --no-print-directory FUZZ=1 CC=clang fuzz-programs
	@tests/run_fuzz.sh --build build/fuzz-clang --seconds $(FUZZ_SECONDS)

coverage: ## Line coverage of the unit and command line tests
	@$(MAKE) --no-print-directory COVERAGE=1 check
	@gcovr --object-directory build/coverage --root . --filter 'common/|schemes/|nodes/|cli/|bench/|campaign/' --sort-uncovered

# ------------------------------------------------------------------------------------------- source checks

LINT_SOURCES := $(wildcard common/*/*.c schemes/*.c schemes/*/*.c nodes/*.c nodes/*/*.c cli/*.c bench/*.c \
  campaign/*.c)
# LINT=quick leaves out the analyzer of clang, which takes nineteen twentieths of the time.
LINT_STAMPS := $(patsubst %.c,build/lint$(LINT:%=-%)/%.tidy,$(LINT_SOURCES))
HEADERS := $(wildcard common/*/*.h common/*/*.def schemes/*.h schemes/*/*.h nodes/*.h nodes/*/*.h cli/*.h bench/*.h \
  campaign/*.h)
SHELL_SCRIPTS := $(wildcard deploy/*.sh deploy/run .ci/run tests/*.sh)

.PHONY: lint lint-cppcheck lint-shell layers format format-check
lint: $(LINT_STAMPS) lint-cppcheck lint-shell ## clang-tidy, cppcheck and shellcheck; nothing may be found
	@echo "lint: clean ($(words $(LINT_SOURCES)) sources, $(words $(SHELL_SCRIPTS)) scripts)"

build/lint$(LINT:%=-%)/%.tidy: %.c .clang-tidy $(HEADERS)
	@mkdir -p $(@D)
	clang-tidy --quiet --warnings-as-errors='*' $(if $(filter quick,$(LINT)),--checks='-clang-analyzer-*') $< -- \
	  -std=c11 -D_GNU_SOURCE -I. $(MPI_CFLAGS) $(shell $(PKG_CONFIG) --cflags $(PACKAGES)) 2>$@.log || \
	  { cat $@.log; exit 1; }
	@touch $@

lint-cppcheck:
	@mkdir -p build/lint/cppcheck
	cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
	  --error-exitcode=1 --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
	  --cppcheck-build-dir=build/lint/cppcheck -D_GNU_SOURCE -I. $(LINT_SOURCES)

lint-shell:
	shellcheck $(SHELL_SCRIPTS)

layers: ## Check that includes go one way and nodes name no scheme
	@tests/layers.sh

format: ## Format the sources (clang-format)
	clang-format -i $(LINT_SOURCES) $(filter %.h,$(HEADERS)) $(UNIT_TESTS) $(MPI_TESTS) $(FUZZ_TESTS)

format-check: ## Say which sources `make format` would change
	@clang-format --dry-run $(LINT_SOURCES) $(filter %.h,$(HEADERS)) 2>&1 | grep -c 'clang-format-violations' || true

# ------------------------------------------------------------------------------------------------- documents

COMMANDS = $(shell $(BIN)/tierbed help | awk '/^Commands/ {on = 1; next} /^$$/ {on = 0} on {print $$1}')
MAN_SOURCES := $(wildcard docs/man/*.scd)
MAN_PAGES := $(patsubst docs/man/%.scd,build/man/%,$(MAN_SOURCES))
MAN_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.PHONY: docs man reference
docs: all ## Write man pages and the reference of scenario keys from the programs' own tables
	@$(MAKE) --no-print-directory man-sources reference
	@$(MAKE) --no-print-directory man

man-sources: $(BIN)/tierbed
	@mkdir -p docs/man
	@$(BIN)/tierbed help --man > docs/man/tierbed.1.scd
	@for command in $(COMMANDS); do $(BIN)/tierbed help --man $$command > docs/man/tierbed-$$command.1.scd || exit 1; done

reference: $(BIN)/tierbed
	@mkdir -p docs/reference
	$(BIN)/tierbed scenario reference > docs/reference/scenario.md.new
	@mv docs/reference/scenario.md.new docs/reference/scenario.md
	$(BIN)/tierbed scenario schema > docs/reference/scenario.schema.json.new
	@mv docs/reference/scenario.schema.json.new docs/reference/scenario.schema.json

man: $(MAN_PAGES)

build/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	SOURCE_DATE_EPOCH=$(MAN_EPOCH) scdoc < $< > $@

# --------------------------------------------------------------------------------------------------- install

BINDIR = $(DESTDIR)$(PREFIX)/bin
SHAREDIR = $(DESTDIR)$(PREFIX)/share
COMPLETION_DIR = $(SHAREDIR)/bash-completion/completions

.PHONY: install uninstall clean
install: all man ## Install programs, man pages, completion and experiments below DESTDIR/PREFIX
	install -d $(BINDIR) $(SHAREDIR)/man/man1 $(COMPLETION_DIR) $(SHAREDIR)/tierbed
	install -m 755 $(PROGRAMS) $(BINDIR)
	install -m 644 $(MAN_PAGES) $(SHAREDIR)/man/man1
	$(BIN)/tierbed help --completion > $(COMPLETION_DIR)/tierbed
	cp -R experiments $(SHAREDIR)/tierbed/
	install -m 644 LICENSE README.md $(SHAREDIR)/tierbed

uninstall: ## Remove what `make install` installed
	rm -f $(addprefix $(BINDIR)/,$(notdir $(PROGRAMS)))
	rm -f $(addprefix $(SHAREDIR)/man/man1/,$(notdir $(MAN_PAGES))) $(COMPLETION_DIR)/tierbed
	rm -rf $(SHAREDIR)/tierbed

clean: ## Remove build/
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
