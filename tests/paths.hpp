// SPDX-License-Identifier: MIT
#pragma once

#include <string>

/// Where the tests find what they were built from.
namespace fantail::test {

/// The root of the sources, without a slash at its end.
std::string source_dir();

/// The program `fantail` of the same build.
std::string binary();

} // namespace fantail::test
