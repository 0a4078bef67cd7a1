#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes sure that everything Fantail is built from is installed. The other
# scripts source this file; run alone it does the same. Says nothing when all
# is there.

fantail_packages="
  g++ cmake ninja-build ccache pkg-config python3
  libcaf-dev libnats-dev libboost1.81-dev libboost-json1.81-dev
  prometheus prometheus-cpp-dev libcli11-dev libfmt-dev libspdlog-dev zlib1g-dev
  libgoogle-perftools-dev libjemalloc-dev libedit-dev
  nats-server"

# `say text`: progress, in bold on a terminal that wants colours.
say() {
  if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    printf '\033[1m==> %s\033[0m\n' "$*"
  else
    printf '==> %s\n' "$*"
  fi
}

fantail_missing_packages() {
  for package in $fantail_packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null \
      | grep -q '^install ok installed' || printf ' %s' "$package"
  done
}

fantail_install() {
  if [ "$(id -u)" -eq 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null 2>&1; then
    as_root="sudo"
  else
    return 1
  fi
  # RUNLEVEL=1 keeps the service of the package nats-server from starting:
  # Fantail starts a server of its own.
  $as_root apt-get update -q \
    && $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -y -q --no-install-recommends "$@"
}

fantail_setup() {
  if ! command -v dpkg-query >/dev/null 2>&1; then
    say "This is no Debian; needed are the counterparts of:"
    echo "$fantail_packages"
    return 0
  fi
  missing=$(fantail_missing_packages)
  [ -z "$missing" ] && return 0
  say "Installing$missing"
  # shellcheck disable=SC2086
  if ! fantail_install $missing; then
    say "Packages are missing and could not be installed. As root, run:"
    echo "    apt-get install$missing"
    return 1
  fi
}

# The number of compilers to run at once: one per core, 2 GB for each.
fantail_jobs() {
  cores=$(nproc 2>/dev/null || echo 2)
  memory=$(awk '/MemAvailable/ { print int($2 / 2000000) }' /proc/meminfo \
    2>/dev/null || echo 2)
  [ "$memory" -lt 1 ] && memory=1
  [ "$cores" -lt "$memory" ] && echo "$cores" || echo "$memory"
}

# Every clone of a machine shares what ccache has, if that is installed.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1

# `fantail_configure preset [cmake arguments]`. What goes well is not worth
# reading: here and below the output is kept in the build folder and shown only
# if something fails.
fantail_configure() {
  preset=$1
  mkdir -p "build/$preset"
  log="build/$preset/build.log"
  say "Configuring $preset"
  shift
  cmake --preset "$preset" "$@" >"$log" 2>&1 || { cat "$log"; return 1; }
}

# `fantail_build preset [target...]`: configures once, then builds.
fantail_build() {
  preset=$1
  shift
  [ -f "build/$preset/build.ninja" ] \
    || fantail_configure "$preset" || return 1
  log="build/$preset/build.log"
  # shellcheck disable=SC2046
  set -- --build "build/$preset" --parallel "$(fantail_jobs)" \
    $(for target; do printf ' --target %s' "$target"; done)
  if [ -t 1 ]; then
    cmake "$@" || return 1
  else
    cmake "$@" >"$log" 2>&1 || { cat "$log"; return 1; }
  fi
}

fantail_setup || exit 1
