#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows Fantail at work: installs what is missing, builds, and runs
# `fantail demo` with the given arguments.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

[ -x build/release/fantail ] || say "Building (some minutes, the first time)"
fantail_build release fantail
exec build/release/fantail demo "$@"
