// SPDX-License-Identifier: MIT
#include "chaos/plan/plan.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace fantail::chaos {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kind_words[fault_kinds]
    = {"actor-exception",   "actor-exit", "actor-hang",     "subtree-kill",
       "intensity-exhaust", "node-kill",  "server-kill",    "server-pause",
       "connection-cut",    "disk-full",  "instance-stall", "instance-kill",
       "bad-input"};

/// Longer outages end sessions and outlast the patience of the checker.
constexpr duration lasts_max = 30s;
constexpr uint32_t weight_max = 1000;

std::string_view trimmed(std::string_view x) {
  auto first = x.find_first_not_of(" \t\r");
  if (first == x.npos)
    return {};
  return x.substr(first, x.find_last_not_of(" \t\r") - first + 1);
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T result{};
  auto [end, problem]
      = std::from_chars(text.data(), text.data() + text.size(), result);
  if (problem != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return result;
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    auto comma = std::min(text.find(','), text.size());
    if (auto item = trimmed(text.substr(0, comma)); !item.empty())
      result.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return result;
}

bool in_range(std::optional<duration> x, duration least, duration most) {
  return x && *x >= least && *x <= most;
}

/// Reads a plan line by line; the first error ends it.
class plan_parser {
public:
  explicit plan_parser(std::string file) : file_(std::move(file)) {}

  std::variant<plan, std::string> read(std::string_view text) {
    while (!text.empty() && problem_.empty()) {
      auto end = std::min(text.find('\n'), text.size());
      ++line_;
      take(trimmed(text.substr(0, std::min(end, text.find('#')))));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (problem_.empty())
      check_whole();
    if (!problem_.empty())
      return problem_;
    return std::move(plan_);
  }

private:
  void take(std::string_view line) {
    if (line.empty())
      return;
    if (line.front() == '[') {
      begin_section(line);
      return;
    }
    auto equals = line.find('=');
    if (equals == line.npos) {
      fail("", "this is neither `key = value` nor a [section]");
      return;
    }
    auto key = trimmed(line.substr(0, equals));
    auto value = trimmed(line.substr(equals + 1));
    if (!keys_.insert(std::string{key}).second)
      fail(key, "is given twice");
    else if (value.empty())
      fail(key, "has no value");
    else if (plan_.faults.empty())
      set_of_plan(key, value);
    else
      set_of_fault(plan_.faults.back(), key, value);
  }

  void begin_section(std::string_view line) {
    auto word = line.back() == ']' ? line.substr(1, line.size() - 2) : "";
    auto kind = fault_kind_of(trimmed(word));
    if (!kind) {
      fail("", std::string{line} + " is no fault; faults are "
                   + those_that([](auto) { return true; }));
      return;
    }
    keys_.clear();
    plan_.faults.push_back({*kind});
  }

  template <class Condition>
  static std::string those_that(Condition holds) {
    std::string result;
    for (size_t i = 0; i < fault_kinds; ++i)
      if (holds(static_cast<fault_kind>(i)))
        result.append(result.empty() ? "" : ", ").append(kind_words[i]);
    return result;
  }

  void set_of_plan(std::string_view key, std::string_view value) {
    if (key == "name")
      plan_.name = value;
    else if (key == "interval")
      set(key, value, plan_.interval, 100ms, 10min);
    else if (key == "warm-up")
      set(key, value, plan_.warm_up, 0s, 10min);
    else if (key == "phase")
      set(key, value, plan_.phase, 1s, 1h);
    else if (key == "quiet")
      set_share(key, value, plan_.quiet);
    else
      fail(key, "is unknown; keys of a plan are name, interval, warm-up, "
                "phase, quiet");
  }

  void set_of_fault(plan_fault& to, std::string_view key,
                    std::string_view value) {
    if (key == "weight") {
      auto number = parse_number<uint32_t>(value);
      if (!number || *number == 0 || *number > weight_max)
        fail(key, "is a whole number, 1 to 1000");
      to.weight = number.value_or(1);
    } else if (key == "lasts") {
      if (!takes_time(to.what))
        fail(key, "is for faults that last: "
                      + those_that([](auto x) { return takes_time(x); }));
      else
        set_range(key, value, to);
    } else if (key == "target") {
      if (!needs_admin_api(to.what))
        fail(key, "is for faults of actors only");
      to.target = value;
    } else if (key == "expects") {
      to.expects = parse_list(value);
    } else {
      fail(key, "is unknown; keys of a fault are weight, lasts, target, "
                "expects");
    }
  }

  void set(std::string_view key, std::string_view value, duration& to,
           duration least, duration most) {
    auto time = parse_duration(value);
    if (in_range(time, least, most))
      to = *time;
    else
      fail(key, "is a time with its unit, such as 500ms, in its range");
  }

  void set_share(std::string_view key, std::string_view value, double& to) {
    auto share = parse_number<double>(value);
    if (share && *share >= 0 && *share <= 0.9)
      to = *share;
    else
      fail(key, "is a number from 0 to 0.9");
  }

  void set_range(std::string_view key, std::string_view value, plan_fault& to) {
    auto dots = value.find("..");
    auto shortest = parse_duration(trimmed(value.substr(0, dots)));
    auto longest = dots == value.npos
                       ? shortest
                       : parse_duration(trimmed(value.substr(dots + 2)));
    if (!in_range(shortest, 0s, lasts_max)
        || !in_range(longest, shortest.value_or(0s), lasts_max)) {
      fail(key, "is a time or a range such as 300ms..2s, at most 30s");
      return;
    }
    to.shortest = *shortest;
    to.longest = *longest;
  }

  void check_whole() {
    if (plan_.name.empty())
      fail("name", "is missing");
    else if (plan_.faults.empty())
      fail("", "the plan has no fault");
  }

  void fail(std::string_view key, const std::string& reason) {
    problem_ = file_ + ":" + std::to_string(line_) + ": ";
    if (!key.empty())
      problem_ += "`" + std::string{key} + "` ";
    problem_ += reason;
  }

  std::string file_;
  size_t line_ = 0;
  plan plan_;
  /// Keys of the section so far.
  std::set<std::string> keys_;
  std::string problem_;
};

} // namespace

std::string_view to_string(fault_kind x) {
  return kind_words[static_cast<size_t>(x)];
}

std::optional<fault_kind> fault_kind_of(std::string_view word) {
  auto found = std::ranges::find(kind_words, word);
  if (found == std::end(kind_words))
    return std::nullopt;
  return static_cast<fault_kind>(found - std::begin(kind_words));
}

bool needs_admin_api(fault_kind x) {
  return x <= fault_kind::intensity_exhaust;
}

bool takes_time(fault_kind x) {
  using enum fault_kind;
  return x == actor_hang || x == node_kill || x == server_pause
         || x == disk_full || x == instance_stall || x == instance_kill;
}

bool plan::needs_admin_api() const {
  return std::ranges::any_of(
      faults, [](auto& x) { return chaos::needs_admin_api(x.what); });
}

bool plan::has(fault_kind x) const {
  return std::ranges::count(faults, x, &plan_fault::what) > 0;
}

std::optional<duration> parse_duration(std::string_view text) {
  auto digits = text.find_first_not_of("0123456789");
  if (digits == text.npos)
    return std::nullopt;
  auto number = parse_number<uint32_t>(text.substr(0, digits));
  auto unit = text.substr(digits);
  if (!number)
    return std::nullopt;
  if (unit == "ms")
    return std::chrono::milliseconds{*number};
  if (unit == "s")
    return std::chrono::seconds{*number};
  if (unit == "min" || unit == "m")
    return std::chrono::minutes{*number};
  if (unit == "h")
    return std::chrono::hours{*number};
  return std::nullopt;
}

bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty())
    return text.empty();
  if (pattern.front() != '*')
    return !text.empty() && pattern.front() == text.front()
           && matches(pattern.substr(1), text.substr(1));
  for (size_t skipped = 0; skipped <= text.size(); ++skipped)
    if (matches(pattern.substr(1), text.substr(skipped)))
      return true;
  return false;
}

std::variant<plan, std::string> parse_plan(std::string_view text,
                                           const std::string& file) {
  return plan_parser{file}.read(text);
}

} // namespace fantail::chaos
