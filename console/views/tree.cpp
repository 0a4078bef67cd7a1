// SPDX-License-Identifier: MIT
#include "console/tree.hpp"

#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/palette.hpp"
#include "console/views/views.hpp"

namespace fantail::console {

namespace {

bool is_supervisor(const json::value& x) {
  return member(x, "strategy").if_string() != nullptr;
}

/// What its supervisor is about to do, else what it does itself.
cell doing(const json::value& x) {
  auto phase = text(x, "phase");
  if (phase.empty() || phase == "running")
    return state_cell(x);
  auto result = state_cell(x, "phase");
  if (auto left = number(x, "backoff_left_ns"); left > 0)
    result.text += ", starts in " + show_seconds(left / 1e9);
  return result;
}

cell policy_of(const json::value& x) {
  if (!is_supervisor(x))
    return {text(x, "restart"), tone::quiet};
  return {text(x, "strategy")};
}

/// Of a supervisor the restarts that count now, and how many it may make.
cell restarts_of(const json::value& x) {
  if (!is_supervisor(x))
    return fault_cell(x, "restarts", tone::warning);
  auto used = whole(x, "restarts_used");
  auto allowed = whole(x, "restarts_allowed");
  auto result = cell{std::to_string(used) + " of " + std::to_string(allowed)
                     + " in " + duration_cell(x, "period_ns").text};
  if (used > 0)
    result.is = used * 2 > allowed ? tone::bad : tone::warning;
  return result;
}

cell cause_of(const json::value& x, const look& how) {
  auto cause = plain_cause(text(x, "last_cause"));
  if (cause.empty())
    return {};
  return {age_cell(x, "last_end_unix_ns", how).text + " ago: " + cause,
          tone::warning};
}

branch branch_of(const json::value& x, const look& how) {
  branch result;
  result.name
      = {text(x, "name"), is_supervisor(x) ? tone::strong : tone::plain};
  result.remarks
      = {doing(x), restarts_of(x), policy_of(x),
         age_cell(x, "running_since_unix_ns", how), cause_of(x, how)};
  result.target = open_actor(x.string_or("id", ""));
  for (auto& child : list(x, "children"))
    result.children.push_back(branch_of(child, how));
  return result;
}

} // namespace

std::string open_actor(const std::string& id) {
  return id.empty() ? std::string{} : "actor " + quote_word(id);
}

page show_tree(const json::value& x, const look& how) {
  page out;
  draw_tree(branch_of(member(x, "root"), how),
            {"STATE", "RESTARTS", "POLICY", "UP", "ENDED LAST"}, out, how);
  return out;
}

} // namespace fantail::console
