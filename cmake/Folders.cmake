# SPDX-License-Identifier: MIT
# A folder of the project is one static library, fantail_<folder>, and may use
# the folders it names. tests/lint checks the same order in the includes.

# fantail_folder(<folder> [USES folder...] [LINKS library...])
#
# A folder without sources becomes an interface library, so that the folders
# to its right need not know.
function(fantail_folder folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;LINKS")
  set(target fantail_${folder})
  list(TRANSFORM arg_USES PREPEND fantail_)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/${folder}/example/")
  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target}
      PUBLIC fantail_flags ${arg_USES} PRIVATE ${arg_LINKS})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE fantail_flags ${arg_USES})
  endif()
endfunction()

# fantail_examples(<folder>): every <folder>/example/*.cpp is a program.
function(fantail_examples folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/example/*.cpp)
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE fantail_${folder})
  endforeach()
endfunction()

# fantail_parse_once(<target> <header>...)
#
# Half of what a sanitizer's build costs is reading the same headers again and
# again. The presets of sanitizers join the files of a folder (unity build);
# where files cannot be joined, since their names clash, the headers they share
# are precompiled. Release does neither, and so sees a missing include.
function(fantail_parse_once target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  if(FANTAIL_SANITIZE)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# fantail_shipped_plans(<target>): chaos/plans/*.plan become part of the program.
function(fantail_shipped_plans target)
  file(GLOB plans CONFIGURE_DEPENDS chaos/plans/*.plan)
  foreach(plan IN LISTS plans)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${plan})
    get_filename_component(name ${plan} NAME_WE)
    file(READ ${plan} text)
    string(APPEND FANTAIL_PLANS "    {\"${name}\", R\"plan(${text})plan\"},\n")
  endforeach()
  configure_file(cmake/shipped_plans.cpp.in
    ${PROJECT_BINARY_DIR}/shipped_plans.cpp @ONLY)
  target_sources(${target} PRIVATE ${PROJECT_BINARY_DIR}/shipped_plans.cpp)
endfunction()
