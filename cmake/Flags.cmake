# SPDX-License-Identifier: MIT
# How our own code is compiled: language, warnings, hardening, sanitizers.

option(FANTAIL_WERROR "Treat warnings in our own code as errors" OFF)
set(FANTAIL_SANITIZE "" CACHE STRING
  "Sanitizers for -fsanitize=, such as address,undefined")

find_program(CCACHE_PROGRAM ccache)
mark_as_advanced(CCACHE_PROGRAM)
if(CCACHE_PROGRAM AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# Everything of ours links to this; every include starts at the root.
add_library(fantail_flags INTERFACE)
target_include_directories(fantail_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_features(fantail_flags INTERFACE cxx_std_20)
# GCC 12 sees uninitialized members in moved std::variants that are not there.
target_compile_options(fantail_flags INTERFACE
  -Wall -Wextra $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(FANTAIL_WERROR)
  target_compile_options(fantail_flags INTERFACE -Werror)
endif()

if(FANTAIL_SANITIZE)
  target_compile_options(fantail_flags INTERFACE
    -fsanitize=${FANTAIL_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(fantail_flags INTERFACE -fsanitize=${FANTAIL_SANITIZE})
  if(FANTAIL_SANITIZE MATCHES "undefined")
    # vptr needs type information of CAF's hidden classes.
    target_compile_options(fantail_flags INTERFACE
      -fno-sanitize=vptr -fno-sanitize-recover=undefined)
  endif()
  if(FANTAIL_SANITIZE MATCHES "thread")
    # Part of every program: what the sanitizer has to know of CAF.
    add_library(fantail_tsan OBJECT ${PROJECT_SOURCE_DIR}/tests/tsan/caf_order.cpp)
    target_link_libraries(fantail_tsan PUBLIC fantail_flags ${CMAKE_DL_LIBS})
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Cheap and always on: a service that reads foreign bytes for months.
  target_compile_options(fantail_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  target_link_options(fantail_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
