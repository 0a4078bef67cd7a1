// SPDX-License-Identifier: MIT
#include "chaos/run/live_view.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace fantail::chaos {

namespace {

using namespace std::chrono_literals;

constexpr auto terminal_interval = 250ms;
constexpr auto line_interval = 10s;
constexpr auto red = "\x1b[31m";
constexpr auto plain = "\x1b[0m";

double seconds(duration x) {
  return std::chrono::duration<double>(x).count();
}

unsigned long long number(uint64_t x) {
  return x;
}

/// A longer line would wrap, and could not be written over.
size_t terminal_columns() {
  winsize size{};
  auto is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
  return is_known && size.ws_col > 1 ? size.ws_col - 1u : 79u;
}

bool may_use_color() {
  auto* no_color = std::getenv("NO_COLOR");
  return !(no_color && *no_color);
}

} // namespace

live_view::live_view(duration length)
    : length_(length), is_terminal_(::isatty(STDERR_FILENO) != 0),
      has_color_(is_terminal_ && may_use_color()) {
  // nop
}

live_view::~live_view() {
  clear();
}

void live_view::clear() {
  if (std::exchange(has_status_, false))
    std::fprintf(stderr, "\r\x1b[K");
}

void live_view::stay(const std::string& line) {
  clear();
  std::fprintf(stderr, "%s\n", line.c_str());
}

void live_view::phase(const std::string& what) {
  phase_ = what;
  stay(what + " ...");
}

void live_view::begin() {
  begun_ = std::chrono::steady_clock::now();
  phase_.clear();
}

duration live_view::elapsed() const {
  return begun_ == time_point{} ? duration{}
                                : std::chrono::steady_clock::now() - begun_;
}

void live_view::broken(const fault_marked& x, duration since) {
  breaking_.clear();
  auto is_skipped = x.phase == fault_phase::skipped;
  auto took = seconds(elapsed() - since);
  char text[200];
  std::snprintf(text, sizeof text, "%7.1f s  %-18s %-24s", seconds(since),
                x.kind.c_str(), is_skipped ? "skipped" : x.target.c_str());
  char tail[32];
  std::snprintf(tail, sizeof tail, "took %.3f s", took);
  stay(text + std::string{is_skipped ? x.target : tail});
}

bool live_view::is_due() const {
  auto pause
      = is_terminal_ ? duration{terminal_interval} : duration{line_interval};
  return std::chrono::steady_clock::now() - shown_at_ >= pause;
}

void live_view::show(const recorder::glance& seen) {
  auto now = std::chrono::steady_clock::now();
  auto period = seconds(now - std::exchange(shown_at_, now));
  auto more = seen.published - std::exchange(published_, seen.published);
  auto rate = static_cast<double>(more) / period;
  if (seen.violations > 0 && !std::exchange(has_told_violation_, true))
    stay(std::string{has_color_ ? red : ""} + "         violation: "
         + seen.first_violation + (has_color_ ? plain : ""));
  char text[300];
  std::snprintf(text, sizeof text,
                "%5.0f/%.0f s  published %llu (%.0f/s)  delivered %llu  "
                "under way %llu  violations %llu  %s",
                seconds(elapsed()), seconds(length_), number(seen.published),
                rate, number(seen.deliveries), number(seen.lag),
                number(seen.violations),
                breaking_.empty() ? phase_.c_str() : breaking_.c_str());
  std::string line{text};
  if (!is_terminal_) {
    stay(line);
    return;
  }
  clear();
  line.resize(std::min(line.size(), terminal_columns()));
  auto is_bad = has_color_ && seen.violations > 0;
  std::fprintf(stderr, "%s%s%s", is_bad ? red : "", line.c_str(),
               is_bad ? plain : "");
  std::fflush(stderr);
  has_status_ = true;
}

} // namespace fantail::chaos
