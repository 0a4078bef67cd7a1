// SPDX-License-Identifier: MIT
#include "bench/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fantail::bench {

namespace {

constexpr double lateness_share_max = 0.1;
constexpr double lateness_ms_max = 5;

/// 1234567.8 as "1,234,568": the figures of a table are read by eye.
std::string number_text(double x, int decimals) {
  auto text = fmt::format("{:.{}f}", x, decimals);
  auto point = std::min(text.find('.'), text.size());
  for (auto i = static_cast<int>(point) - 3; i > 0 && text[i - 1] != '-';
       i -= 3)
    text.insert(static_cast<size_t>(i), 1, ',');
  return text;
}

std::string number_text(const std::optional<double>& x, int decimals) {
  return x ? number_text(*x, decimals) : "";
}

std::string target_text(const std::optional<target>& x) {
  if (!x)
    return "";
  auto is_most = x->what == target::kind::at_most
                 || x->what == target::kind::ratio_at_most;
  auto bound = fmt::format("{:g}", x->bound);
  if (!x->is_ratio() && x->bound >= 1'000)
    bound = number_text(x->bound, 0);
  return fmt::format("{} {}{}", is_most ? "<=" : ">=", bound,
                     x->is_ratio() ? " x floor" : "");
}

std::string_view color_of(verdict x) {
  switch (x) {
  case verdict::met:
    return "\x1b[32m";
  case verdict::missed:
    return "\x1b[31m";
  case verdict::invalid:
    return "\x1b[33m";
  default:
    return "";
  }
}

std::string render_value(const json::value& x) {
  auto* text = x.if_string();
  return text ? *text : json::serialize(x);
}

json::value to_json(const std::optional<double>& x) {
  return x ? json::value{*x} : json::value{};
}

json::value to_json(const finding& x, const bench_report& in) {
  return json::object{
      {"what", x.what},
      {"floor", to_json(x.floor)},
      {"fantail", to_json(x.fantail)},
      {"ratio", to_json(x.ratio())},
      {"target", target_text(x.goal)},
      {"verdict", to_string(judge(x, in))},
  };
}

json::array texts(const std::vector<std::string>& x) {
  return {x.begin(), x.end()};
}

} // namespace

std::string_view to_string(verdict x) {
  switch (x) {
  case verdict::met:
    return "ok";
  case verdict::missed:
    return "MISSED";
  case verdict::invalid:
    return "INVALID";
  default:
    return "";
  }
}

std::optional<double> finding::ratio() const {
  if (!floor || !fantail || *floor <= 0)
    return std::nullopt;
  return *fantail / *floor;
}

verdict judge(const finding& x, const bench_report& in) {
  if (!x.goal)
    return verdict::told;
  auto is_valid = in.invalid.empty()
                  && (!x.goal->is_ratio() || in.invalid_comparison.empty());
  auto figure = x.goal->is_ratio() ? x.ratio() : x.fantail;
  if (!is_valid || !figure)
    return verdict::invalid;
  auto is_most = x.goal->what == target::kind::at_most
                 || x.goal->what == target::kind::ratio_at_most;
  auto is_met = is_most ? *figure <= x.goal->bound : *figure >= x.goal->bound;
  return is_met ? verdict::met : verdict::missed;
}

int exit_code(const std::vector<bench_report>& reports) {
  auto result = bench_exit::ok;
  for (auto& report : reports)
    for (auto& x : report.findings) {
      auto outcome = judge(x, report);
      if (outcome == verdict::missed)
        return bench_exit::missed;
      if (outcome == verdict::invalid)
        result = bench_exit::invalid;
    }
  return result;
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::ranges::sort(values);
  auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

std::optional<std::string> lateness_problem(double lateness_p99_ms,
                                            double measured_p99_ms) {
  auto bound = std::max(lateness_ms_max, lateness_share_max * measured_p99_ms);
  if (lateness_p99_ms <= bound)
    return std::nullopt;
  return fmt::format("the load generator was late: p99 {:.1f} ms, more than "
                     "{:.1f} ms",
                     lateness_p99_ms, bound);
}

std::string render_table(const std::vector<bench_report>& reports,
                         bool with_colors) {
  constexpr size_t columns = 7;
  using row = std::array<std::string, columns>;
  std::vector<row> rows{
      {"bench", "what", "floor", "fantail", "ratio", "target", "verdict"}};
  std::vector<verdict> verdicts{verdict::told};
  std::string result;
  for (auto& report : reports) {
    std::string line = report.bench + ":";
    for (auto& [key, value] : report.conditions)
      line += " " + key + " " + render_value(value) + ",";
    line.back() = '\n';
    result += line;
    for (auto& x : report.findings) {
      verdicts.push_back(judge(x, report));
      rows.push_back({x.bench, x.what, number_text(x.floor, x.decimals),
                      number_text(x.fantail, x.decimals),
                      number_text(x.ratio(), 2), target_text(x.goal),
                      std::string{to_string(verdicts.back())}});
    }
  }
  std::array<size_t, columns> widths{};
  for (auto& cells : rows)
    for (size_t i = 0; i < columns; ++i)
      widths[i] = std::max(widths[i], cells[i].size());
  result += '\n';
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t i = 0; i + 1 < columns; ++i) {
      auto is_number = i >= 2 && i <= 4;
      result += is_number ? fmt::format("{:>{}}  ", rows[r][i], widths[i])
                          : fmt::format("{:<{}}  ", rows[r][i], widths[i]);
    }
    auto color = with_colors ? color_of(verdicts[r]) : "";
    result += fmt::format("{}{}{}\n", color, rows[r].back(),
                          color.empty() ? "" : "\x1b[0m");
  }
  for (auto& report : reports) {
    for (auto& reason : report.invalid)
      result += fmt::format("{}: INVALID, {}\n", report.bench, reason);
    for (auto& reason : report.invalid_comparison)
      result
          += fmt::format("{}: comparisons INVALID, {}\n", report.bench, reason);
    for (auto& remark : report.remarks)
      result += fmt::format("{}: {}\n", report.bench, remark);
  }
  return result;
}

json::value to_json(const bench_report& x) {
  json::array findings;
  for (auto& one : x.findings)
    findings.push_back(to_json(one, x));
  return json::object{{"bench", x.bench},
                      {"conditions", x.conditions},
                      {"findings", std::move(findings)},
                      {"invalid", texts(x.invalid)},
                      {"invalid_comparison", texts(x.invalid_comparison)},
                      {"remarks", texts(x.remarks)},
                      {"runs", x.runs}};
}

} // namespace fantail::bench
