// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"
#include "tests/integration/node_process.hpp"
#include "tests/runtime/http/raw_http.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fantail::test {

/// Somebody who asks a node over its admin API, and may change it.
class node_operator {
public:
  explicit node_operator(const node_process& node) : node_(node) {}

  raw_http::response get(const std::string& target) const {
    return raw_http{node_.http_port()}.get(target);
  }
  raw_http::response post(const std::string& target) const {
    return raw_http{node_.http_port()}.post(target, token());
  }
  raw_http::response post_without_token(const std::string& target) const {
    return raw_http{node_.http_port()}.post(target, "");
  }

  /// The body of an answer; null if there is none.
  json::value ask(const std::string& target) const {
    return json::parse(get(target).body).value_or(json::value{});
  }
  json::value tell(const std::string& target) const {
    return json::parse(post(target).body).value_or(json::value{});
  }

  json::value actor(const std::string& id) const {
    return ask("/api/v1/actors/" + id);
  }

  std::string token() const {
    auto text = content_of(node_.state_directory() + "/admin.token");
    return text.substr(0, text.find('\n'));
  }

  std::vector<json::value> audit_lines() const {
    std::ifstream file{node_.state_directory() + "/admin-audit.log"};
    std::vector<json::value> result;
    for (std::string line; std::getline(file, line);)
      result.push_back(json::parse(line).value_or(json::value{}));
    return result;
  }

private:
  const node_process& node_;
};

/// The member `key`, or null.
inline const json::value& at(const json::value& x, std::string_view key) {
  static const json::value nothing;
  auto* found = x.find(key);
  return found ? *found : nothing;
}

/// The element of the list `x` whose member `key` is `value`, or null.
inline const json::value& with(const json::value& x, std::string_view key,
                               const json::value& value) {
  static const json::value nothing;
  if (auto* list = x.if_array())
    for (auto& item : *list)
      if (at(item, key) == value)
        return item;
  return nothing;
}

} // namespace fantail::test
