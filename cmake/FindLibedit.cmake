# SPDX-License-Identifier: MIT
# Finds libedit, for which there is no CMake package. It has a BSD licence.
#
#   find_package(Libedit REQUIRED)
#
# defines Libedit::Libedit.

find_path(Libedit_INCLUDE_DIR histedit.h)
find_library(Libedit_LIBRARY edit)
mark_as_advanced(Libedit_INCLUDE_DIR Libedit_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libedit
  REQUIRED_VARS Libedit_LIBRARY Libedit_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install the package libedit-dev")

if(Libedit_FOUND AND NOT TARGET Libedit::Libedit)
  add_library(Libedit::Libedit UNKNOWN IMPORTED)
  set_target_properties(Libedit::Libedit PROPERTIES
    IMPORTED_LOCATION "${Libedit_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Libedit_INCLUDE_DIR}")
endif()
