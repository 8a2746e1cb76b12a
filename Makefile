# Tierbed's only build file. `make help` lists the targets.
# Variants: release (default), SAN=address,undefined, COVERAGE=1; each has its own folder below build/.

CC ?= gcc
MPICC ?= mpicc
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
MARCH ?= native
CFLAGS ?= -O3 -g
WERROR ?=

VERSION := 0.1.0
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

ifdef SAN
  empty :=
  comma := ,
  VARIANT := san-$(subst $(comma),-,$(SAN))
  VARIANT_FLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -O1
else ifdef COVERAGE
  VARIANT := coverage
  VARIANT_FLAGS := --coverage -O0
else
  VARIANT := release
  VARIANT_FLAGS :=
endif
ifneq ($(origin CC),default)
  ifneq ($(CC),gcc)
    VARIANT := $(VARIANT)-$(notdir $(CC))
  endif
endif

BUILD := build/$(VARIANT)
OBJ := $(BUILD)/obj
BIN := $(BUILD)/bin
TESTBIN := $(BUILD)/tests

PACKAGES := libsodium sqlite3 libcrypto yaml-0.1 jansson fftw3 matio
WARNINGS := -Wall -Wextra -Wshadow -Wconversion $(WERROR)
TIERBED_CFLAGS := -std=c11 -D_GNU_SOURCE -I. $(WARNINGS) -march=$(MARCH) -fno-math-errno -fno-trapping-math \
  -ffp-contract=off $(shell $(PKG_CONFIG) --cflags $(PACKAGES)) $(CFLAGS) $(VARIANT_FLAGS) -MMD -MP
TIERBED_LDFLAGS := $(LDFLAGS) $(VARIANT_FLAGS)
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lm
MPI_CFLAGS := $(shell $(PKG_CONFIG) --cflags ompi-c 2>/dev/null || $(MPICC) -show | tr ' ' '\n' | grep '^-I')
MPI_LIBS := $(shell $(PKG_CONFIG) --libs ompi-c 2>/dev/null || $(MPICC) -show | tr ' ' '\n' | grep -E '^-(L|l|Wl)')

MPI_SOURCES := common/net/bus_mpi.c common/net/doorbell.c
COMMON_SOURCES := $(filter-out $(MPI_SOURCES),$(wildcard common/*/*.c))
NODE_SOURCES := $(filter-out %/main.c,$(wildcard nodes/*.c nodes/*/*.c))
ROLE_MAINS := $(wildcard nodes/*/main.c)
CLI_SOURCES := $(wildcard cli/*.c)
BENCH_SOURCES := $(filter-out %_main.c,$(wildcard bench/*.c))
BENCH_MAINS := $(wildcard bench/*_main.c)
TEST_LIB_SOURCES := $(wildcard tests/lib/*.c)
UNIT_TESTS := $(wildcard tests/base/test_*.c tests/time/test_*.c tests/net/test_*.c tests/model/test_*.c \
  tests/data/test_*.c tests/record/test_*.c tests/nodes/test_*.c tests/cli/test_*.c)
MPI_TESTS := $(wildcard tests/mpi/test_*.c)

objects = $(patsubst %.c,$(OBJ)/%.o,$(1))
LIBTIERBED := $(BUILD)/libtierbed.a
ROLE_PROGRAMS := $(patsubst nodes/%/main.c,$(BIN)/tierbed-%,$(ROLE_MAINS))
BENCH_PROGRAMS := $(patsubst bench/%_main.c,$(BIN)/tierbed-bench-%,$(BENCH_MAINS))
PROGRAMS := $(BIN)/tierbed $(ROLE_PROGRAMS) $(BENCH_PROGRAMS)
UNIT_TEST_PROGRAMS := $(patsubst tests/%.c,$(TESTBIN)/%,$(UNIT_TESTS))
MPI_TEST_PROGRAMS := $(patsubst tests/%.c,$(TESTBIN)/%,$(MPI_TESTS))

.DEFAULT_GOAL := all
.PHONY: all help clean
.SECONDARY:

all: $(PROGRAMS) build/bin ## Build every program into build/<variant>/bin

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-zA-Z_-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

build/bin: | $(BIN)
	@ln -sfn release/bin build/bin

$(BIN):
	@mkdir -p $@

$(OBJ)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(TIERBED_CFLAGS) -DTIERBED_VERSION='"$(VERSION)"' -c $< -o $@

$(call objects,$(MPI_SOURCES)) $(call objects,$(MPI_TESTS)): TIERBED_CFLAGS += $(MPI_CFLAGS)

# The commit is the only thing that changes with every commit: kept in one small object.
$(BUILD)/commit.txt: FORCE
	@mkdir -p $(@D)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' > $@
FORCE:
$(OBJ)/common/base/version.o: TIERBED_CFLAGS += -DTIERBED_COMMIT='"$(COMMIT)"' \
  -DTIERBED_CFLAGS_TEXT='"$(CFLAGS) -march=$(MARCH) $(VARIANT_FLAGS)"' -DTIERBED_VARIANT='"$(VARIANT)"'
$(OBJ)/common/base/version.o: $(BUILD)/commit.txt

$(LIBTIERBED): $(call objects,$(COMMON_SOURCES) $(NODE_SOURCES) $(BENCH_SOURCES))
	@rm -f $@
	ar rcs $@ $^

$(BIN)/tierbed: $(call objects,$(CLI_SOURCES)) $(LIBTIERBED) | $(BIN)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS)

$(BIN)/tierbed-bench-%: $(OBJ)/bench/%_main.o $(call objects,$(MPI_SOURCES)) $(LIBTIERBED) | $(BIN)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) $(MPI_LIBS)

$(BIN)/tierbed-%: $(OBJ)/nodes/%/main.o $(call objects,$(MPI_SOURCES)) $(LIBTIERBED) | $(BIN)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) $(MPI_LIBS)

$(TESTBIN)/mpi/%: $(OBJ)/tests/mpi/%.o $(call objects,$(TEST_LIB_SOURCES) $(MPI_SOURCES)) $(LIBTIERBED)
	@mkdir -p $(@D)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka $(MPI_LIBS)

$(TESTBIN)/%: $(OBJ)/tests/%.o $(call objects,$(TEST_LIB_SOURCES)) $(LIBTIERBED)
	@mkdir -p $(@D)
	$(CC) $(TIERBED_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

unit-programs: $(UNIT_TEST_PROGRAMS) $(MPI_TEST_PROGRAMS)

clean: ## Remove build/
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
