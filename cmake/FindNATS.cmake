# SPDX-License-Identifier: MIT
# Finds nats.c. The CMake package of Debian 12 names a static library that the
# Debian package does not hold, so it cannot be used.
#
#   find_package(NATS 3.4 REQUIRED)
#
# defines NATS::nats and NATS_VERSION.

find_path(NATS_INCLUDE_DIR nats/nats.h)
find_library(NATS_LIBRARY nats)
mark_as_advanced(NATS_INCLUDE_DIR NATS_LIBRARY)

if(NATS_INCLUDE_DIR)
  file(STRINGS "${NATS_INCLUDE_DIR}/nats/version.h" line
    REGEX "#define NATS_VERSION_STRING ")
  string(REGEX REPLACE ".*\"([0-9.]+).*" "\\1" NATS_VERSION "${line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(NATS
  REQUIRED_VARS NATS_LIBRARY NATS_INCLUDE_DIR
  VERSION_VAR NATS_VERSION
  REASON_FAILURE_MESSAGE "install the package libnats-dev")

if(NATS_FOUND AND NOT TARGET NATS::nats)
  find_package(Threads REQUIRED)
  add_library(NATS::nats UNKNOWN IMPORTED)
  set_target_properties(NATS::nats PROPERTIES
    IMPORTED_LOCATION "${NATS_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${NATS_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
