#!/usr/bin/env bash
# deps: installs with apt what building and running Tierbed needs and this machine lacks; says what and why. Quick and
# silent when nothing is missing. Usage: deploy/deps.sh [--test] [--dry-run]
#   --test     also what the tests, lint, fuzzing and documents need
#   --dry-run  only say what is missing; exit 1 if anything is
# Runs as root or with sudo. On systems without apt it says what to install, and fails.
set -euo pipefail

want_test=0 dry_run=0
for word in "$@"; do
  case $word in
    --test) want_test=1 ;;
    --dry-run) dry_run=1 ;;
    *) echo "usage: deploy/deps.sh [--test] [--dry-run]" >&2; exit 2 ;;
  esac
done

# How to see that a thing is there. A package manager is not asked: what was built by hand counts too.
has_command() {
  local name
  for name in "$@"; do command -v "$name" >/dev/null 2>&1 && return 0; done
  return 1
}
has_library() { pkg-config --exists "$1" 2>/dev/null; }
has_header() {
  local directory
  for directory in /usr/include /usr/local/include "/usr/include/$(uname -m)-linux-gnu"; do
    [[ -e $directory/$1 ]] && return 0
  done
  return 1
}
has_openblas() { # opened while programs run, so no headers are needed
  local directory
  for directory in "/usr/lib/$(uname -m)-linux-gnu" /usr/lib /usr/lib64 /usr/local/lib; do
    compgen -G "$directory/libopenblas.so.0" >/dev/null && return 0
    compgen -G "$directory/openblas-serial/libopenblas.so.0" >/dev/null && return 0
  done
  return 1
}
has_mpi_headers() { has_library ompi-c || has_command mpicc; }
has_fuzzer() { has_command clang && compgen -G "$(clang --print-runtime-dir)/libclang_rt.fuzzer*" >/dev/null; }

# check | package[|package on other releases] | why. A leading "?" marks what the project can do without.
required='
has_command make | make | builds everything
has_command gcc | gcc | the C compiler
has_header stdio.h | libc6-dev | headers of the C library
has_command pkg-config | pkg-config,pkgconf | finds the libraries
has_command mpirun | openmpi-bin | starts the processes of a run
has_mpi_headers | libopenmpi-dev | messages between processes
has_library libsodium | libsodium-dev | digests, signatures, sealing
has_library sqlite3 | libsqlite3-dev | the record of a run
has_library libcrypto | libssl-dev | SHA-256, certificates
has_library yaml-0.1 | libyaml-dev | scenario files
has_library jansson | libjansson-dev | machine-readable output
has_library fftw3 | libfftw3-dev | spectra of vibration
has_library zlib | zlib1g-dev | compressed records in .mat files
has_library matio | libmatio-dev | records in .mat files
has_openblas | libopenblas0-serial,libopenblas0 | large layers of learning agents
has_command scdoc | scdoc | man pages
'
testing='
has_header cmocka.h | libcmocka-dev | unit tests
has_command bats | bats | tests of the command line
has_command jq | jq | the tests read JSON with it
has_command sqlite3 | sqlite3 | the tests read the record with it
has_command file | file | the tests look at what kind a file is
has_command ps | procps | the tests look for processes left behind
has_command clang | clang | second compiler, fuzzing
has_fuzzer | libclang-rt-dev,libclang-rt-14-dev,libclang-common-14-dev | fuzzing and sanitizers of clang
has_command clang-tidy | clang-tidy | lint
has_command clang-format | clang-format | format
has_command cppcheck | cppcheck | lint
has_command shellcheck | shellcheck | lint of scripts
has_command valgrind | valgrind | memory checks
has_command rsvg-convert | librsvg2-bin | the tests look at the plots
? has_command chromium chromium-browser google-chrome | chromium,chromium-browser | the tests look at the report in a browser
? has_command gcovr | gcovr | coverage
'

trim() {
  local text=$1
  text=${text#"${text%%[![:space:]]*}"}
  printf '%s' "${text%"${text##*[![:space:]]}"}"
}

# Lists "packages|why|optional" of what is missing.
missing_of() {
  local check packages why optional
  while IFS='|' read -r check packages why; do
    check=$(trim "$check")
    [[ -n $check ]] || continue
    optional=0
    if [[ $check == '? '* ]]; then optional=1 check=${check#'? '}; fi
    # shellcheck disable=SC2086 # a function and its arguments
    $check || printf '%s|%s|%d\n' "$(trim "$packages")" "$(trim "$why")" "$optional"
  done <<<"$1"
}

list=$required
((want_test)) && list+=$testing
missing=$(missing_of "$list")
[[ -n $missing ]] || exit 0

if ((dry_run)) || ! has_command apt-get; then
  ((dry_run)) || echo "deps: this machine has no apt; please install, under the names of your system:" >&2
  needed=0
  while IFS='|' read -r packages why optional; do
    printf '  %-18s %s%s\n' "${packages%%,*}" "$why" "$( ((optional)) && echo ' (optional)')"
    ((optional)) || needed=1
  done <<<"$missing"
  exit "$needed"
fi

as_root=()
if ((EUID != 0)); then
  if ! has_command sudo; then
    echo "deps: packages are missing, and this user is not root and has no sudo. As root: deploy/deps.sh $*" >&2
    exit 1
  fi
  as_root=(sudo)
fi
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}
has_candidate() {
  local version
  version=$(apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ {print $2}')
  [[ -n $version && $version != '(none)' ]]
}
choose() { # the first name that this release knows
  local name
  for name in ${1//,/ }; do
    if has_candidate "$name"; then echo "$name"; return; fi
  done
}

# A fresh system has no package lists, an old one stale lists.
newest=$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -7 -print -quit 2>/dev/null || true)
if [[ -z $newest ]]; then
  echo "deps: reading package lists"
  apt update
fi

install=() optional_install=()
echo "deps: installing what is missing:"
while IFS='|' read -r packages why optional; do
  name=$(choose "$packages")
  if [[ -z $name ]]; then
    if ((optional)); then
      echo "  (no package of this release for: $why; done without)"
      continue
    fi
    echo "deps: none of these packages is known to this release: ${packages//,/, } ($why)" >&2
    exit 1
  fi
  printf '  %-18s %s\n' "$name" "$why"
  if ((optional)); then optional_install+=("$name"); else install+=("$name"); fi
done <<<"$missing"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
install_packages() {
  apt install -y --no-install-recommends "$@" >"$log" 2>&1 && return 0
  apt update && apt install -y --no-install-recommends "$@" >"$log" 2>&1
}
if ((${#install[@]} > 0)) && ! install_packages "${install[@]}"; then
  tail -n 25 "$log" >&2
  echo "deps: apt-get could not install: ${install[*]}" >&2
  exit 1
fi
if ((${#optional_install[@]} > 0)) && ! install_packages "${optional_install[@]}"; then
  echo "deps: could not install ${optional_install[*]}; tests that want it skip themselves"
fi

still=$(missing_of "$list" | awk -F'|' '$3 == 0 {print $1 " (" $2 ")"}')
if [[ -n $still ]]; then
  printf 'deps: still missing after installation:\n%s\n' "$still" >&2
  exit 1
fi
