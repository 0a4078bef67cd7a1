// SPDX-License-Identifier: MIT
#include "console/terminal.hpp"

#include "console/signals.hpp"
#include "console/text.hpp"

#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fantail::console {

namespace {

constexpr size_t width_fallback = 80;
constexpr size_t rows_fallback = 24;

/// A key's escape sequence arrives in one go, or within this time.
constexpr int sequence_patience_ms = 50;

bool is_set(const char* variable) {
  auto* value = std::getenv(variable);
  return value && *value;
}

/// Whether the terminal takes UTF-8. If no locale is set at all, it does: all
/// of today's do.
bool takes_utf8() {
  static const bool result = [] {
    auto is_told = is_set("LC_ALL") || is_set("LC_CTYPE") || is_set("LANG");
    if (!is_told)
      return std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
    std::setlocale(LC_CTYPE, "");
    return std::string_view{::nl_langinfo(CODESET)} == "UTF-8";
  }();
  return result;
}

winsize window() {
  winsize result{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &result) != 0)
    result = {};
  return result;
}

void write_out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

} // namespace

bool is_terminal(int descriptor) {
  return ::isatty(descriptor) == 1;
}

look look_of_output() {
  look result;
  auto utf8 = takes_utf8();
  result.now_unix_ns = unix_now_ns();
  if (!is_terminal(STDOUT_FILENO))
    return result;
  auto* terminal = std::getenv("TERM");
  auto is_dumb = !terminal || std::string_view{terminal} == "dumb";
  result.has_colours = !is_dumb && !is_set("NO_COLOR");
  result.is_ascii = !utf8;
  auto columns = window().ws_col;
  result.width = columns > 0 ? columns : width_fallback;
  return result;
}

size_t terminal_rows() {
  auto rows = window().ws_row;
  return rows > 0 ? rows : rows_fallback;
}

int64_t unix_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool print(const std::vector<std::string>& lines, const look& how) {
  for (auto& x : lines)
    write_out((how.is_ascii ? to_ascii(x) : x) + "\n");
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

bool confirm(const std::string& question) {
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::fflush(stderr);
  std::string answer;
  for (char c = 0; ::read(STDIN_FILENO, &c, 1) == 1 && c != '\n';)
    answer += c;
  if (is_interrupted())
    std::fputc('\n', stderr);
  return answer == "y" || answer == "Y" || answer == "yes";
}

struct live_screen::saved_mode {
  termios mode{};
  bool is_saved = false;
};

live_screen::live_screen() : before_(std::make_unique<saved_mode>()) {
  before_->is_saved = ::tcgetattr(STDIN_FILENO, &before_->mode) == 0;
  if (before_->is_saved) {
    auto raw = before_->mode;
    // Signals stay, so that Ctrl-C ends a wait for the node, too.
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  // What is wider than the terminal is cut off, not broken.
  write_out("\033[?1049h\033[?25l\033[?7l\033[H\033[2J");
  std::fflush(stdout);
}

live_screen::~live_screen() {
  write_out("\033[?7h\033[?25h\033[?1049l");
  std::fflush(stdout);
  if (before_->is_saved)
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_->mode);
}

void live_screen::draw(const std::vector<std::string>& lines, const look& how) {
  // In one piece and without clearing first, so that nothing flickers.
  std::string all = "\033[H";
  auto count = std::min(lines.size(), terminal_rows());
  for (size_t i = 0; i < count; ++i) {
    all += how.is_ascii ? to_ascii(lines[i]) : lines[i];
    all += "\033[K";
    if (i + 1 < count)
      all += "\r\n";
  }
  write_out(all + "\033[J");
  std::fflush(stdout);
}

std::optional<key> live_screen::wait_key(std::chrono::milliseconds patience) {
  if (auto found = take_key(typed_, false))
    return found;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  auto limit = typed_.empty() ? static_cast<int>(patience.count())
                              : sequence_patience_ms;
  if (::poll(&input, 1, limit) <= 0)
    return take_key(typed_, true);
  std::array<char, 64> bytes;
  auto count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  // The terminal is gone.
  if (count == 0)
    return key{key_name::character, 'q'};
  if (count > 0)
    typed_.append(bytes.data(), static_cast<size_t>(count));
  return take_key(typed_, false);
}

} // namespace fantail::console
