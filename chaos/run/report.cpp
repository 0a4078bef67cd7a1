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

using recoveries = std::map<std::string, recovery_summary>;

std::string recovery_table(std::string_view what, const recoveries& from) {
  auto result = "| " + std::string{what}
                + " | times | skipped | recovery p50, ms | p99 | max "
                  "|\n|---|---|---|---|---|---|\n";
  for (auto& [kind, x] : from) {
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

std::string usage_table(const findings& found) {
  auto row = [](std::string_view what, const usage_range& x, int shift) {
    std::string result = "| ";
    result.append(what).append(" |");
    for (auto figure : {x.first, x.last, x.max})
      result.append(" ").append(std::to_string(figure >> shift)).append(" |");
    return result + "\n";
  };
  return "| node | at the start | at the end | max |\n|---|---|---|---|\n"
         + row("memory, MiB", found.resident_bytes, 20)
         + row("open files", found.open_files, 0);
}

std::vector<std::string>
texts_of(const std::vector<findings::example>& examples) {
  std::vector<std::string> result;
  for (auto& x : examples)
    result.push_back(std::string{to_string(x.what)} + ": " + x.text);
  return result;
}

void add_list(std::string& to, std::string_view head,
              const std::vector<std::string>& items) {
  if (items.empty())
    return;
  to.append("\n").append(head).append(":\n\n");
  for (auto& x : items)
    to.append("* ").append(x).append("\n");
}

json::value to_json(const recoveries& from) {
  json::object result;
  for (auto& [kind, x] : from)
    result[kind] = json::object{{"faults", x.faults},
                                {"skipped", x.skipped},
                                {"measured", x.recoveries.size()},
                                {"p50_ms", ms_of(x.quantile(0.5))},
                                {"p99_ms", ms_of(x.quantile(0.99))},
                                {"max_ms", ms_of(x.quantile(1))}};
  return result;
}

json::value to_json(const usage_range& x) {
  return json::object{{"first", x.first}, {"last", x.last}, {"max", x.max}};
}

} // namespace

std::string to_markdown(const report& x) {
  auto& found = x.found;
  std::string result = "# Chaos run: " + x.head.plan + "\n\n";
  result += "Verdict: **" + std::string{to_string(x.judged)} + "**";
  if (!x.invalid_because.empty())
    result += " (" + x.invalid_because + ")";
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
  result += "\n" + recovery_table("fault", found.recoveries);
  if (!found.actors.empty())
    result += "\n" + recovery_table("actor that was hit", found.actors);
  result += "\nWhile nothing was broken, an event took "
            + std::to_string(ms_of(found.calm_p50)) + " ms (p50), "
            + std::to_string(ms_of(found.calm_p99))
            + " ms (p99) from the call of the publish to an instance.\n";
  result += "\n" + usage_table(found);
  add_list(result, "Violations (the first ones)", texts_of(found.examples));
  add_list(result, "Escalations", found.escalations);
  add_list(result, "Remarks", x.remarks);
  // Where it is seen when all of it scrolls by.
  return result + "\nVerdict: **" + std::string{to_string(x.judged)} + "**\n";
}

json::value to_json(const report& x) {
  auto& found = x.found;
  json::object violations;
  for (size_t i = 0; i < violation_kinds; ++i)
    violations[std::string{to_string(static_cast<violation>(i))}]
        = found.violations[i];
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
                      {"invalid_because", x.invalid_because},
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
                      {"calm_p50_ms", ms_of(found.calm_p50)},
                      {"calm_p99_ms", ms_of(found.calm_p99)},
                      {"resident_bytes", to_json(found.resident_bytes)},
                      {"open_files", to_json(found.open_files)},
                      {"violations", std::move(violations)},
                      {"recovery", to_json(found.recoveries)},
                      {"recovery_of_actors", to_json(found.actors)},
                      {"escalations", texts(found.escalations)},
                      {"examples", std::move(examples)},
                      {"remarks", texts(x.remarks)}};
}

} // namespace fantail::chaos
