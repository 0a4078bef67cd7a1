// SPDX-License-Identifier: MIT
#pragma once

#include "console/http_client.hpp"
#include "console/paint.hpp"
#include "console/palette.hpp"
#include "core/json.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace fantail::console {

/// Which node, and as whom.
struct settings {
  address at;
  /// Empty = none is known.
  std::string token;
  /// The user named it; else it was found, and goes to this machine only, and
  /// only along with changes.
  bool is_token_given = false;
  /// Prints what the node answers, unchanged.
  bool as_json = false;
  std::chrono::milliseconds timeout{5000};
};

/// Why a command did not work: what to say on stderr, and the exit code.
struct problem {
  int exit_code;
  std::string text;
};

/// Asks one node, and makes pages of its answers.
class session {
public:
  explicit session(settings how) : how_(std::move(how)) {}

  const settings& how() const noexcept { return how_; }

  /// The body of the answer to GET.
  std::variant<std::string, problem> ask(const std::string& target) const;
  std::variant<json::value, problem> ask_json(const std::string& target) const;

  /// The body of the answer to POST, with the token if there is one.
  std::variant<std::string, problem> change(const std::string& target) const;

  /// Hands each event of a stream to `on_event(name, data)` until that returns
  /// false, or nothing comes for `quiet_max` (0 = for ever). Calls `on_open`
  /// once the node has begun to answer.
  std::variant<std::monostate, problem> follow(
      const std::string& target,
      const std::function<bool(const std::string&, const std::string&)>&
          on_event,
      std::chrono::milliseconds quiet_max = {},
      const std::function<void()>& on_open = [] {}) const;

  /// What a command of the kind `page` shows.
  std::variant<page, problem> view(const invocation& x, const look& how) const;

  /// The same as JSON: the node's answer, unchanged, if it is one answer.
  std::variant<std::string, problem> view_json(const invocation& x) const;

private:
  http_client client(bool with_token) const;
  std::variant<std::string, problem> body_of(reply x) const;
  problem problem_of(const failure& x) const;

  settings how_;
};

/// What went wrong according to an answer other than 200.
problem problem_of_answer(const reply& x);

} // namespace fantail::console
