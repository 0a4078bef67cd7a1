// SPDX-License-Identifier: MIT
#include "bench/progress_line.hpp"

#include <unistd.h>

#include <utility>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto terminal_interval = std::chrono::milliseconds{200};
constexpr auto pipe_interval = std::chrono::seconds{5};

} // namespace

progress_line::progress_line(std::FILE* out)
    : out_(out), is_terminal_(::isatty(::fileno(out)) == 1) {
  // nop
}

progress_line::~progress_line() {
  finish();
}

void progress_line::step(std::string what) {
  step_ = std::move(what);
  show({});
}

void progress_line::detail(std::string_view text) {
  auto interval
      = is_terminal_ ? duration{terminal_interval} : duration{pipe_interval};
  if (steady::now() - shown_at_ >= interval)
    show(text);
}

void progress_line::show(std::string_view detail) {
  shown_at_ = steady::now();
  auto* begin = is_terminal_ ? "\r\x1b[K" : "";
  auto* end = is_terminal_ ? "" : "\n";
  auto* separator = detail.empty() ? "" : ": ";
  std::fprintf(out_, "%s%s%s%.*s%s", begin, step_.c_str(), separator,
               static_cast<int>(detail.size()), detail.data(), end);
  std::fflush(out_);
  is_open_ = is_terminal_;
}

void progress_line::finish() {
  if (std::exchange(is_open_, false))
    std::fputs("\r\x1b[K", out_);
  std::fflush(out_);
}

} // namespace fantail::bench
