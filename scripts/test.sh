#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs every test: the repository's own rules, all suites of the release build,
# and the machine and actor suites under ASan and UBSan. The last line sums up:
# "N passed, N failed". FANTAIL_TEST_QUICK=1 leaves the sanitizers out;
# FANTAIL_TEST_ALL=1 adds the integration suites under them, and TSan.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/setup.sh

passed=0
failed=0
started=$(date +%s)

minutes() {
  seconds=$(($(date +%s) - started))
  printf '%d:%02d' $((seconds / 60)) $((seconds % 60))
}

# The whole verdict is one line, whatever happened before it.
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

# `run preset [ctest arguments]`: adds what ctest counted.
run() {
  preset=$1
  shift
  say "[$(minutes)] Testing $preset"
  log="build/$preset/test.log"
  ctest --test-dir "build/$preset" --parallel "$(nproc)" --no-tests=error \
    --output-on-failure "$@" >"$log" 2>&1
  code=$?
  counts=$(sed -n \
    's/.*, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$log")
  bad=${counts% *}
  all=${counts#* }
  if [ -z "$counts" ]; then
    cat "$log"
    failed=$((failed + 1))
    return
  fi
  passed=$((passed + all - bad))
  failed=$((failed + bad))
  if [ "$bad" -ne 0 ]; then
    cat "$log"
  elif [ "$code" -ne 0 ]; then
    cat "$log"
    failed=$((failed + 1))
  else
    say "[$(minutes)] $all suites passed in $preset"
  fi
}

# `build preset [target...]`: a build that fails counts as a test that fails.
build() {
  say "[$(minutes)] Building $1"
  if ! fantail_build "$@"; then
    say "The build $1 failed."
    failed=$((failed + 1))
    return 1
  fi
}

# Told first, since it takes a second; counted with the suites of release.
say "[$(minutes)] Checking the rules of the repository"
python3 tests/lint/lint.py .

build release && run release
if [ "${FANTAIL_TEST_QUICK:-0}" != 1 ]; then
  suites='machine|actor'
  [ "${FANTAIL_TEST_ALL:-0}" = 1 ] && suites='machine|actor|integration'
  build asan fantail-test && run asan --label-regex "$suites"
  if [ "${FANTAIL_TEST_ALL:-0}" = 1 ]; then
    build tsan fantail-test && run tsan --label-regex "$suites"
  fi
fi
finish
