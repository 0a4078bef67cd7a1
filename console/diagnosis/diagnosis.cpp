// SPDX-License-Identifier: MIT
#include "console/diagnosis/diagnosis.hpp"

#include "console/diagnosis/checks.hpp"
#include "console/text.hpp"

#include <algorithm>

namespace fantail::console {

namespace {

constexpr size_t topic_width = 9;

/// How bad, in a word and its tone.
cell mark_of(verdict x) {
  switch (x) {
  case verdict::good:
    return {"ok  ", tone::good};
  case verdict::notice:
    return {"look", tone::warning};
  case verdict::alarm:
    return {"bad ", tone::bad};
  }
  return {};
}

std::string summary_of(const std::vector<finding>& findings, const look& how) {
  std::string names;
  auto worst = verdict::good;
  size_t count = 0;
  for (auto& x : findings) {
    if (x.is == verdict::good)
      continue;
    worst = std::max(worst, x.is);
    names += (names.empty() ? "" : ", ") + x.topic;
    ++count;
  }
  if (count == 0)
    return paint("All is well.", tone::good, how);
  auto is = worst == verdict::alarm ? tone::bad : tone::warning;
  return paint(std::to_string(count)
                   + (count == 1 ? " thing needs" : " things need")
                   + " a look: " + names,
               is, how);
}

/// Adds `text` in as many lines as it needs, below each other.
void add_wrapped(page& out, const std::string& before, size_t indent,
                 const std::string& text, tone is, const look& how) {
  auto room = how.width > indent ? how.width - indent : 0;
  auto rest = wrap(text, room, 0);
  auto front = before;
  for (;;) {
    auto end = std::min(rest.find('\n'), rest.size());
    out.add(front + paint(rest.substr(0, end), is, how));
    if (end == rest.size())
      return;
    rest.erase(0, end + 1);
    front = std::string(indent, ' ');
  }
}

} // namespace

std::vector<finding> diagnose(const observation& x) {
  return {check_health(x), check_latency(x),     check_lag(x),
          check_waits(x),  check_hot_channel(x), check_large_channel(x),
          check_actors(x), check_restarts(x),    check_instances(x),
          check_memory(x), check_losses(x)};
}

page show_findings(const std::vector<finding>& findings, const look& how) {
  page out;
  out.add(summary_of(findings, how));
  out.add("");
  auto number_width
      = how.has_numbers ? std::to_string(findings.size()).size() + 1 : 0;
  for (auto& x : findings) {
    std::string front;
    if (how.has_numbers) {
      std::string number;
      if (!x.target.empty()) {
        out.targets.push_back(x.target);
        number = std::to_string(out.targets.size());
      }
      front = paint(pad_left(number, number_width - 1), tone::quiet, how) + " ";
    }
    front += paint(mark_of(x.is), how) + "  "
             + paint(pad_right(x.topic, topic_width), tone::strong, how) + "  ";
    auto indent = number_width + 4 + 2 + topic_width + 2;
    add_wrapped(out, front, indent, x.summary, tone::plain, how);
    for (auto& line : x.evidence)
      add_wrapped(out, std::string(indent, ' '), indent + 2, line, tone::quiet,
                  how);
    if (!x.advice.empty())
      add_wrapped(out, std::string(indent, ' '), indent + 2, "→ " + x.advice,
                  tone::plain, how);
    if (!x.target.empty() && !how.has_numbers && x.is != verdict::good)
      add_wrapped(out, std::string(indent, ' '), indent + 2,
                  "→ fantail " + x.target, tone::name, how);
  }
  return out;
}

json::value findings_as_json(const std::vector<finding>& findings) {
  json::array all;
  auto worst = verdict::good;
  auto name_of = [](verdict x) {
    return x == verdict::good ? "ok" : x == verdict::notice ? "look" : "bad";
  };
  for (auto& x : findings) {
    worst = std::max(worst, x.is);
    json::array evidence;
    for (auto& line : x.evidence)
      evidence.push_back(line);
    all.push_back(json::object{{"topic", x.topic},
                               {"verdict", name_of(x.is)},
                               {"summary", x.summary},
                               {"evidence", std::move(evidence)},
                               {"advice", x.advice},
                               {"command", x.target}});
  }
  return json::object{{"verdict", name_of(worst)},
                      {"findings", std::move(all)}};
}

} // namespace fantail::console
