#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs every test: the repository's own rules, all suites of the release build,
# and the machine, actor and integration suites again under ASan with UBSan, and
# under TSan. The last line sums up: "N passed, N failed".
# FANTAIL_TEST_QUICK=1 leaves the sanitizers out; FANTAIL_TEST_ALL=1 lets
# clang-tidy's analyzer walk all paths of the machines, too (minutes).
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
  rm -rf "build/$preset/reports"
  mkdir -p "build/$preset/reports"
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
  count_reports "$preset"
}

# What a sanitizer found in whatever process a suite ran; a node that a test
# kills for its own reasons must not take a report with it.
count_reports() {
  for report in "build/$1"/reports/*; do
    [ -f "$report" ] || continue
    say "A sanitizer's report: $report"
    cat "$report"
    failed=$((failed + 1))
  done
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

# Always set, since the build folder remembers it.
paths=OFF
[ "${FANTAIL_TEST_ALL:-0}" = 1 ] && paths=ON
fantail_configure release "-DFANTAIL_TIDY_PATHS=$paths"
build release && run release
if [ "${FANTAIL_TEST_QUICK:-0}" != 1 ]; then
  for preset in asan tsan; do
    build "$preset" fantail-test \
      && run "$preset" --label-regex 'machine|actor|integration'
  done
fi
finish
