// SPDX-License-Identifier: MIT
#include "chaos/run/report.hpp"

#include <cstdio>

namespace fantail::chaos {

namespace {

int64_t ms_of(duration x) {
  return std::chrono::ceil<std::chrono::milliseconds>(x).count();
}

std::string percent(double x) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f %%", x * 100);
  return text;
}

void add_row(std::string& to, std::string_view what, const std::string& value) {
  to.append("| ").append(what).append(" | ").append(value).append(" |\n");
}

void add_row(std::string& to, std::string_view what, uint64_t value) {
  add_row(to, what, std::to_string(value));
}

std::string recovery_table(const findings& found) {
  std::string result = "| fault | times | skipped | recovery p50, ms | p99 | "
                       "max |\n|---|---|---|---|---|---|\n";
  for (auto& [kind, x] : found.recoveries) {
    result += "| " + kind + " | " + std::to_string(x.faults) + " | "
              + std::to_string(x.skipped) + " |";
    for (auto q : {0.5, 0.99, 1.0})
      result += x.recoveries.empty()
                    ? " - |"
                    : " " + std::to_string(ms_of(x.quantile(q))) + " |";
    result += "\n";
  }
  return result;
}

} // namespace

std::string to_markdown(const report& x) {
  auto& found = x.found;
  std::string result = "# Chaos run: " + x.head.plan + "\n\n";
  result += "Verdict: **" + std::string{to_string(x.judged)} + "**";
  if (auto why = found.invalid_because(x.decided_min); !why.empty())
    result += " (" + why + ")";
  result
      += "\n\nBuild " + x.head.build + ", seed " + std::to_string(x.head.seed);
  for (auto& setting : x.head.settings)
    result += ", " + setting;
  result += "\n\n| what | count |\n|---|---|\n";
  add_row(result, "published", found.published);
  add_row(result, "stored", found.stored);
  add_row(result, "delivered", found.deliveries);
  add_row(result, "pairs decided", percent(found.decided_share()));
  add_row(result, "presence changes", found.presence_calls);
  add_row(result, "users asked for", found.users_asked);
  add_row(result, "counters compared", found.counters_compared);
  for (size_t i = 0; i < violation_kinds; ++i)
    add_row(result, to_string(static_cast<violation>(i)), found.violations[i]);
  add_row(result, "lost in the middle", found.lost_in_the_middle);
  add_row(result, "early (permitted)", found.early);
  add_row(result, "repeated to `single` (permitted)", found.repeats_permitted);
  add_row(result, "disorder in `single` (permitted)", found.disorder_permitted);
  result += "\n" + recovery_table(found);
  for (auto& what : found.escalations)
    result += "\nEscalation: " + what;
  for (auto& example : found.examples)
    result
        += "\n* " + std::string{to_string(example.what)} + ": " + example.text;
  for (auto& remark : x.remarks)
    result += "\n\nRemark: " + remark;
  return result + "\n";
}

json::value to_json(const report& x) {
  auto& found = x.found;
  json::object violations, recoveries;
  for (size_t i = 0; i < violation_kinds; ++i)
    violations[std::string{to_string(static_cast<violation>(i))}]
        = found.violations[i];
  for (auto& [kind, summary] : found.recoveries)
    recoveries[kind] = json::object{{"faults", summary.faults},
                                    {"skipped", summary.skipped},
                                    {"measured", summary.recoveries.size()},
                                    {"p50_ms", ms_of(summary.quantile(0.5))},
                                    {"p99_ms", ms_of(summary.quantile(0.99))},
                                    {"max_ms", ms_of(summary.quantile(1))}};
  json::array examples;
  for (auto& example : found.examples)
    examples.push_back(json::object{{"what", to_string(example.what)},
                                    {"at_ns", to_ns(example.at)},
                                    {"text", example.text}});
  auto texts = [](auto& from) {
    return json::array{from.begin(), from.end()};
  };
  return json::object{{"plan", x.head.plan},
                      {"build", x.head.build},
                      {"seed", std::to_string(x.head.seed)},
                      {"settings", texts(x.head.settings)},
                      {"verdict", to_string(x.judged)},
                      {"invalid_because", found.invalid_because(x.decided_min)},
                      {"published", found.published},
                      {"stored", found.stored},
                      {"deliveries", found.deliveries},
                      {"decided", found.decided},
                      {"undecided", found.undecided},
                      {"early", found.early},
                      {"repeats_permitted", found.repeats_permitted},
                      {"disorder_permitted", found.disorder_permitted},
                      {"lost_in_the_middle", found.lost_in_the_middle},
                      {"presence_changes", found.presence_calls},
                      {"users_asked", found.users_asked},
                      {"counters_compared", found.counters_compared},
                      {"violations", std::move(violations)},
                      {"recovery", std::move(recoveries)},
                      {"escalations", texts(found.escalations)},
                      {"examples", std::move(examples)},
                      {"remarks", texts(x.remarks)}};
}

} // namespace fantail::chaos
