# SPDX-License-Identifier: MIT
# Finds the CPU profiler of gperftools, for which there is no CMake package.
#
#   find_package(Gperftools REQUIRED)
#
# defines Gperftools::profiler.

find_path(Gperftools_INCLUDE_DIR gperftools/profiler.h)
find_library(Gperftools_LIBRARY profiler)
mark_as_advanced(Gperftools_INCLUDE_DIR Gperftools_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Gperftools
  REQUIRED_VARS Gperftools_LIBRARY Gperftools_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install the package libgoogle-perftools-dev")

if(Gperftools_FOUND AND NOT TARGET Gperftools::profiler)
  add_library(Gperftools::profiler UNKNOWN IMPORTED)
  set_target_properties(Gperftools::profiler PROPERTIES
    IMPORTED_LOCATION "${Gperftools_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Gperftools_INCLUDE_DIR}")
endif()
