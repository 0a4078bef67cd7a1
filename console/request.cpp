// SPDX-License-Identifier: MIT
#include "console/request.hpp"

#include "console/address.hpp"
#include "console/format.hpp"

#include <algorithm>
#include <cmath>

namespace fantail::console {

namespace {

const std::string api = "/api/v1/";

/// Collects `?a=b&c=d`.
class query {
public:
  explicit query(std::string path) : text_(std::move(path)) {}

  void add(std::string_view name, std::string_view value) {
    text_ += text_.find('?') == text_.npos ? '?' : '&';
    text_ += std::string{name} + "=" + percent_encode(value);
  }

  /// Passes options on under their own names.
  void pass(const invocation& x, std::initializer_list<const char*> names) {
    for (auto* name : names)
      if (x.has(name))
        add(name, x.option(name));
  }

  std::string take() { return std::move(text_); }

private:
  std::string text_;
};

/// The whole seconds of an option that was checked, at least one.
std::string whole_seconds(const std::string& time) {
  auto seconds = parse_seconds(time).value_or(1);
  return std::to_string(std::max<int64_t>(1, std::llround(seconds)));
}

std::string target_of_change(const invocation& x) {
  query result{api + "actors/" + percent_encode(x.argument(0)) + "/"
               + std::string{x.what->name}};
  if (x.what->name == "kill")
    result.add("mode", x.option("mode", "exception"));
  if (x.has("for")) {
    auto seconds = parse_seconds(x.option("for")).value_or(2);
    result.add("for_ms", std::to_string(std::llround(seconds * 1000)));
  }
  if (x.has("dry-run"))
    result.add("dry_run", "true");
  return result.take();
}

std::string target_of_stream(const invocation& x) {
  query result{api + std::string{x.what->name}};
  if (x.what->name == "trace")
    result.add(x.argument(0), x.argument(1));
  result.pass(x, {"since", "kind", "limit"});
  if (x.has("for"))
    result.add("for_seconds", whole_seconds(x.option("for")));
  return result.take();
}

} // namespace

std::string target_of(const invocation& x) {
  if (x.what->kind == command_kind::change)
    return target_of_change(x);
  if (x.what->kind == command_kind::stream)
    return target_of_stream(x);
  auto name = x.what->name;
  if (name == "status" || name == "diagnose")
    return api + "node";
  if (name == "incidents")
    return api + "events?since=0";
  if (name == "actor")
    return api + "actors/" + percent_encode(x.argument(0));
  if (name == "instance")
    return api + "instances";
  if (name == "users show")
    return api + "users/" + percent_encode(x.argument(0));
  if (name == "route explain")
    return api + "channels/" + percent_encode(x.argument(0)) + "/route";
  query result{api + std::string{name}};
  result.pass(x, {"top", "type", "state", "under"});
  // The node's own default would leave out actors, and show too many channels.
  auto fallback = name == "actors" ? "1000" : "20";
  if (name == "actors" || name == "channels" || name == "deadletters")
    result.add("limit", x.option("limit", x.has("top") ? "20" : fallback));
  return result.take();
}

std::string exit_codes_help() {
  return "Exit codes: 0 all is well, 1 the node answered with an error, "
         "2 the command\nline was not understood or a confirmation is missing, "
         "3 the node cannot be\nreached, 4 it wants a token, or another one.";
}

} // namespace fantail::console
