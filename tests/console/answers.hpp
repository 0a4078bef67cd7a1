// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"
#include "tests/paths.hpp"

#include "caf/test/unit_test.hpp"

#include <charconv>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>

namespace fantail::test {

/// The example of an answer in the API's description, which a test compares
/// with what the server answers: so the console is tested with what is true.
inline json::value answer(std::string_view path,
                          std::string_view method = "get") {
  std::ifstream file{source_dir() + "/api/openapi.json"};
  std::stringstream text;
  text << file.rdbuf();
  auto described = json::parse(text.str());
  CAF_REQUIRE(described);
  const json::value* at = &*described;
  for (std::string_view key :
       {std::string_view{"paths"}, path, method, std::string_view{"responses"},
        std::string_view{"200"}, std::string_view{"content"},
        std::string_view{"application/json"}, std::string_view{"example"}}) {
    at = at->find(key);
    if (!at)
      CAF_FAIL("openapi.json has no " << std::string{key} << " of "
                                      << std::string{path});
  }
  return *at;
}

/// Replaces the member at `path`; a number there is an index.
inline void set(json::value& x, std::initializer_list<const char*> path,
                json::value to) {
  auto* at = &x;
  for (std::string_view key : path) {
    if (auto* list = at->if_array()) {
      size_t index = 0;
      std::from_chars(key.data(), key.data() + key.size(), index);
      CAF_REQUIRE(index < list->size());
      at = const_cast<json::value*>(&(*list)[index]);
      continue;
    }
    at = const_cast<json::value*>(at->find(key));
    CAF_REQUIRE(at);
  }
  *at = std::move(to);
}

} // namespace fantail::test
