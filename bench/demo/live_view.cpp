// SPDX-License-Identifier: MIT
#include "bench/demo/live_view.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fantail::demo {

namespace {

constexpr size_t history_max = 40;
constexpr size_t instances_shown = 16;

double ms(uint64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

std::string rounded(double number) {
  return with_separators(static_cast<uint64_t>(number + 0.5));
}

/// Wraps `text` in a terminal colour.
std::string paint(std::string text, int colour, bool has_colours) {
  return has_colours ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : text;
}

constexpr int bold = 1, dim = 2, red = 31, green = 32, cyan = 36;

/// Numbers as a row of bars of one character each.
std::string bars(const std::deque<double>& numbers) {
  static constexpr const char* steps[]
      = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  auto top = numbers.empty()
                 ? 0.0
                 : *std::max_element(numbers.begin(), numbers.end());
  std::string result;
  for (auto x : numbers)
    result += steps[top > 0 ? static_cast<int>(x / top * 8) : 0];
  return result;
}

std::string bar(double part, size_t width) {
  std::string result;
  for (size_t i = 0; i < width; ++i)
    if (static_cast<double>(i) < part * static_cast<double>(width))
      result += "█";
  return result;
}

std::string clock_time(int64_t at_ms) {
  auto s = at_ms / 1'000;
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string title(const sample& x) {
  auto until = x.duration_s > 0 ? fmt::format(" of {:.0f}", x.duration_s)
                                : std::string{};
  return fmt::format("{:.0f}{} s, trace at {}", x.elapsed_s, until,
                     clock_time(x.now.trace_at_ms));
}

struct fault_line {
  const char* name;
  uint64_t count;
  /// Whether a count above zero fails the check.
  bool is_fatal;
};

std::vector<fault_line> faults(const progress& x) {
  return {{"missed", x.count.missed, true},
          {"out of order", x.count.out_of_order, true},
          {"in excess", x.count.excess, true},
          {"repeated (frame)", x.count.repeats_frame, true},
          {"repeated (single)", x.count.repeats_single, false},
          {"early", x.count.early, false},
          {"reported lost", x.losses, true},
          {"presence refused", x.presence_refused, true},
          {"presence not answered", x.presence_forgotten, false}};
}

json::value rounded_json(double x) {
  return std::round(x * 1000) / 1000;
}

json::object counts_json(const progress& x) {
  return {{"published", x.count.published},
          {"stored", x.count.stored},
          {"deliveries", x.count.deliveries},
          {"expected", x.count.expected},
          {"missed", x.count.missed},
          {"out_of_order", x.count.out_of_order},
          {"excess", x.count.excess},
          {"early", x.count.early},
          {"repeats_frame", x.count.repeats_frame},
          {"repeats_single", x.count.repeats_single},
          {"losses", x.losses},
          {"presence_changes", x.presence_changes},
          {"presence_refused", x.presence_refused},
          {"presence_forgotten", x.presence_forgotten},
          {"publish_repeats", x.publish_repeats},
          {"online", uint64_t{x.online}},
          {"memberships", uint64_t{x.memberships}},
          {"lag", x.lag}};
}

} // namespace

std::optional<table_size> parse_table_size(std::string_view body) {
  auto answer = json::parse(body);
  if (!answer || !answer->find("TotalChannels"))
    return std::nullopt;
  return table_size{answer->int_or("TotalChannels", 0),
                    answer->int_or("TotalUsers", 0)};
}

sample sampler::take(double elapsed_s, double duration_s, progress now) {
  auto span = std::max(elapsed_s - before_s_, 1e-3);
  auto rate = [&](uint64_t after, uint64_t before) {
    return static_cast<double>(after - before) / span;
  };
  sample result;
  result.elapsed_s = elapsed_s;
  result.duration_s = duration_s;
  result.events_per_s = rate(now.count.stored, before_.count.stored);
  result.deliveries_per_s
      = rate(now.count.deliveries, before_.count.deliveries);
  auto window = now.latency;
  window.subtract(before_.latency);
  result.p50_ms = ms(window.quantile(0.5));
  result.p99_ms = ms(window.quantile(0.99));
  before_.instances.resize(now.instances.size());
  for (size_t i = 0; i < now.instances.size(); ++i)
    result.instance_rates.push_back(
        rate(now.instances[i].events, before_.instances[i].events));
  before_ = now;
  before_s_ = elapsed_s;
  result.now = std::move(now);
  return result;
}

bool ending::passed() const {
  return total.count.stored > 0 && total.count.is_clean() && total.losses == 0
         && total.presence_refused == 0;
}

std::string with_separators(uint64_t number) {
  auto result = std::to_string(number);
  for (auto at = static_cast<long>(result.size()) - 3; at > 0; at -= 3)
    result.insert(static_cast<size_t>(at), ",");
  return result;
}

std::string render_line(const sample& x) {
  auto text = fmt::format(
      "{:4.0f} s  {:>7} events/s  {:>8} deliveries/s  p50 {:6.1f} ms  "
      "p99 {:7.1f} ms  lag {:>6}  online {:>7}",
      x.elapsed_s, rounded(x.events_per_s), rounded(x.deliveries_per_s),
      x.p50_ms, x.p99_ms, with_separators(x.now.lag),
      with_separators(x.now.online));
  if (x.table)
    text += fmt::format("  table {} channels, {} users", x.table->channels,
                        x.table->users);
  for (auto& fault : faults(x.now))
    if (fault.count > 0)
      text += fmt::format("  {} {}", with_separators(fault.count), fault.name);
  return text + "\n";
}

std::string render_screen(const sample& x, const std::deque<double>& history,
                          bool has_colours) {
  auto coloured = [&](std::string text, int colour) {
    return paint(std::move(text), colour, has_colours);
  };
  auto row = [&](const char* name, const std::string& text) {
    return fmt::format("  {:<12}{}\n", name, text);
  };
  auto result = fmt::format("{}  {}\n\n", coloured("fantail demo", bold),
                            coloured(title(x), dim));
  result += row("events", fmt::format("{:>9} /s  {}", rounded(x.events_per_s),
                                      coloured(bars(history), cyan)));
  result += row("deliveries",
                fmt::format("{:>9} /s", rounded(x.deliveries_per_s)));
  result += row("latency", fmt::format("{:>9.1f} ms p50  {:.1f} ms p99",
                                       x.p50_ms, x.p99_ms));
  result += row("lag", fmt::format("{:>9} events, {} held back",
                                   with_separators(x.now.lag),
                                   with_separators(x.now.held_back)));
  result += row("online", fmt::format("{:>9} users, {} memberships",
                                      with_separators(x.now.online),
                                      with_separators(x.now.memberships)));
  if (x.table)
    result += row("table", fmt::format("{:>9} channels, {} users",
                                       x.table->channels, x.table->users));
  result += "\n";
  for (auto& fault : faults(x.now))
    result += row(fault.count > 0 && fault.is_fatal ? "  FAULT" : "",
                  coloured(fmt::format("{:>9} {}", with_separators(fault.count),
                                       fault.name),
                           fault.count == 0 ? green
                           : fault.is_fatal ? red
                                            : cyan));
  result += "\n";
  auto top = x.instance_rates.empty()
                 ? 1.0
                 : std::max(1.0, *std::max_element(x.instance_rates.begin(),
                                                   x.instance_rates.end()));
  auto shown = std::min(x.now.instances.size(), instances_shown);
  for (size_t i = 0; i < shown; ++i)
    result += fmt::format(
        "  {:<18} {:<7}{:>9} /s  {}\n", x.now.instances[i].name,
        to_string(x.now.instances[i].format), rounded(x.instance_rates[i]),
        coloured(bar(x.instance_rates[i] / top, 30), cyan));
  if (shown < x.now.instances.size())
    result += fmt::format("  and {} more\n", x.now.instances.size() - shown);
  return result;
}

std::string render_verdict(const ending& x, bool has_colours) {
  auto row = [](const std::string& name, const std::string& text) {
    return fmt::format("  {:<26}{:>14}", name, text);
  };
  auto& total = x.total;
  std::string result{"\n"};
  result += row("events stored", with_separators(total.count.stored)) + "\n";
  result += row("presence changes", with_separators(total.presence_changes))
            + "\n";
  result += row("deliveries", with_separators(total.count.deliveries)) + "\n";
  result
      += row("of them certain to come", with_separators(total.count.expected))
         + "\n";
  for (auto& fault : faults(total)) {
    auto bad = fault.is_fatal && fault.count > 0;
    result += row(fault.name, with_separators(fault.count)) + "  "
              + paint(bad ? "FAIL" : "ok", bad ? red : green, has_colours)
              + "\n";
  }
  auto latency = fmt::format(
      "{:.1f} / {:.1f} / {:.1f} ms", ms(total.latency.quantile(0.5)),
      ms(total.latency.quantile(0.99)), ms(total.latency.max()));
  result += fmt::format("  {:<26}{}\n", "latency p50 / p99 / max", latency);
  if (x.was_interrupted)
    result += "  (stopped early: the verdict is about what was played)\n";
  if (x.was_cut_short)
    result += "  (not everything was answered within the drain time)\n";
  auto text = x.passed()
                  ? "PASS: every instance got exactly the events of its users' "
                    "channels, in order."
              : total.count.stored == 0 ? "FAIL: nothing was published."
                                        : "FAIL: see above.";
  return result + "\n" + paint(text, x.passed() ? green : red, has_colours)
         + "\n";
}

json::value to_json(const sample& x) {
  auto result = counts_json(x.now);
  result["elapsed_s"] = rounded_json(x.elapsed_s);
  result["events_per_s"] = rounded_json(x.events_per_s);
  result["deliveries_per_s"] = rounded_json(x.deliveries_per_s);
  result["p50_ms"] = rounded_json(x.p50_ms);
  result["p99_ms"] = rounded_json(x.p99_ms);
  if (x.table) {
    result["table_channels"] = x.table->channels;
    result["table_users"] = x.table->users;
  }
  return result;
}

json::value to_json(const ending& x) {
  auto result = counts_json(x.total);
  result["verdict"] = x.passed() ? "pass" : "fail";
  result["played_s"] = rounded_json(x.played_s);
  result["interrupted"] = x.was_interrupted;
  result["cut_short"] = x.was_cut_short;
  result["p50_ms"] = rounded_json(ms(x.total.latency.quantile(0.5)));
  result["p99_ms"] = rounded_json(ms(x.total.latency.quantile(0.99)));
  result["max_ms"] = rounded_json(ms(x.total.latency.max()));
  return result;
}

// -- live_view
// -------------------------------------------------------------------

live_view::live_view(std::FILE* out, bool wants_json)
    : out_(out), wants_json_(wants_json),
      is_terminal_(!wants_json && ::isatty(::fileno(out)) == 1) {
  auto* no_color = std::getenv("NO_COLOR");
  has_colours_ = is_terminal_ && (!no_color || *no_color == '\0');
}

void live_view::write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

void live_view::note(const std::string& text) {
  if (!wants_json_)
    write(text + "\n");
}

void live_view::show(const sample& x) {
  if (wants_json_)
    return write(json::serialize(to_json(x)) + "\n");
  if (!is_terminal_)
    return write(render_line(x));
  history_.push_back(x.events_per_s);
  if (history_.size() > history_max)
    history_.pop_front();
  auto screen = render_screen(x, history_, has_colours_);
  // Back to the first line of the last screen, then erase what was below.
  auto rewind = lines_shown_ > 0 ? fmt::format("\x1b[{}F\x1b[J", lines_shown_)
                                 : std::string{};
  write(rewind + screen);
  lines_shown_
      = static_cast<size_t>(std::count(screen.begin(), screen.end(), '\n'));
}

void live_view::show(const ending& x) {
  if (wants_json_)
    write(json::serialize(to_json(x)) + "\n");
  else
    write(render_verdict(x, has_colours_));
}

} // namespace fantail::demo
