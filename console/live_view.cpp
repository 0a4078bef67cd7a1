// SPDX-License-Identifier: MIT
#include "console/live_view.hpp"

#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/signals.hpp"
#include "console/terminal.hpp"
#include "console/text.hpp"

#include <algorithm>
#include <utility>

namespace fantail::console {

using namespace std::chrono_literals;

namespace {

constexpr size_t digits_max = 5;
/// Lines of the screen that are not the page's: header, blank line, footer.
constexpr size_t frame_rows = 3;
/// How soon a change of the window's size shows.
constexpr auto key_patience = 100ms;

std::string words_of(const invocation& x) {
  std::string result{x.what->name};
  for (auto& a : x.arguments)
    result += " " + printable(a);
  for (auto& [name, value] : x.options)
    result += " --" + name + (value == "true" ? "" : "=" + printable(value));
  return result;
}

/// One view of the stack: the command, and its newest page.
struct shown_view {
  invocation command;
  live_state state;
  page content;
  /// When that was.
  int64_t seen_unix_ns = 0;
  /// Why the newest look failed.
  std::string trouble;
};

class live_loop {
public:
  live_loop(const session& node, std::chrono::milliseconds interval)
      : node_(node), interval_(interval) {}

  std::variant<std::monostate, problem> run(const invocation& first) {
    how_ = fresh_look();
    // What does not even work once is told at the prompt.
    auto answer = node_.view(first, how_);
    if (auto* bad = std::get_if<problem>(&answer))
      return *bad;
    views_.push_back(
        {first, {}, std::move(std::get<page>(answer)), how_.now_unix_ns, {}});
    live_screen screen;
    auto looked_at = clock::now();
    while (!views_.empty() && !is_interrupted()) {
      draw(screen);
      auto key = screen.wait_key(key_patience);
      auto is_due = clock::now() - looked_at >= interval_
                    && !views_.back().state.is_paused();
      if ((key && obey(*key)) || is_due) {
        if (!views_.empty())
          look_again();
        looked_at = clock::now();
      }
    }
    // Ctrl-C leaves the view, not the console.
    if (!is_asked_to_end())
      forget_interrupt();
    return std::monostate{};
  }

private:
  using clock = std::chrono::steady_clock;

  static look fresh_look() {
    auto result = look_of_output();
    result.has_numbers = true;
    return result;
  }

  static size_t page_rows() {
    auto rows = terminal_rows();
    return rows > frame_rows ? rows - frame_rows : 1;
  }

  /// True if the node is to be asked at once.
  bool obey(const key& x) {
    auto& top = views_.back();
    auto wish = top.state.press(x, top.content.lines.size(), page_rows());
    if (wish == live_state::wish::back) {
      views_.pop_back();
      return true;
    }
    if (wish != live_state::wish::open)
      return wish == live_state::wish::refresh;
    auto number = top.state.chosen();
    if (number < 1 || number > top.content.targets.size()) {
      top.trouble = "there is no number " + std::to_string(number);
      return false;
    }
    auto parsed = parse_command(split_words(top.content.targets[number - 1]));
    if (auto* command = std::get_if<invocation>(&parsed))
      views_.push_back({*command, {}, {}, how_.now_unix_ns, {}});
    return true;
  }

  void look_again() {
    auto& top = views_.back();
    how_ = fresh_look();
    auto answer = node_.view(top.command, how_);
    if (auto* bad = std::get_if<problem>(&answer)) {
      top.trouble = bad->text.substr(0, bad->text.find('\n'));
      return;
    }
    top.trouble.clear();
    top.content = std::move(std::get<page>(answer));
    top.seen_unix_ns = how_.now_unix_ns;
  }

  void draw(live_screen& screen) {
    auto& top = views_.back();
    auto rows = page_rows();
    auto& lines = top.content.lines;
    top.state.fit(lines.size(), rows);
    std::vector<std::string> all;
    auto about
        = "every "
          + show_seconds(std::chrono::duration<double>{interval_}.count())
          + ", at " + show_time(top.seen_unix_ns, how_).substr(0, 8) + " UTC";
    all.push_back(heading(words_of(top.command), about, how_));
    all.push_back(top.trouble.empty() ? std::string{}
                                      : paint(shorten(top.trouble, how_.width),
                                              tone::bad, how_));
    auto first = top.state.offset();
    for (size_t i = first; i < std::min(lines.size(), first + rows); ++i)
      all.push_back(lines[i]);
    all.resize(rows + frame_rows - 1);
    all.push_back(live_footer(top.state, lines.size(), rows,
                              top.content.targets.size(), how_));
    screen.draw(all, how_);
  }

  const session& node_;
  const std::chrono::milliseconds interval_;
  look how_;
  std::vector<shown_view> views_;
};

} // namespace

live_state::wish live_state::press(const key& x, size_t lines, size_t rows) {
  auto move = [&](size_t to) {
    offset_ = to;
    fit(lines, rows);
    return wish::redraw;
  };
  switch (x.name) {
  case key_name::enter:
    if (typed_.empty())
      return wish::refresh;
    chosen_ = static_cast<size_t>(parse_whole(typed_, 0, 99999).value_or(0));
    typed_.clear();
    return wish::open;
  case key_name::escape:
    if (std::exchange(typed_, {}).empty())
      return wish::back;
    return wish::redraw;
  case key_name::backspace:
    if (!typed_.empty())
      typed_.pop_back();
    return wish::redraw;
  case key_name::up:
    return move(offset_ - std::min<size_t>(offset_, 1));
  case key_name::down:
    return move(offset_ + 1);
  case key_name::page_up:
    return move(offset_ - std::min(offset_, rows));
  case key_name::page_down:
    return move(offset_ + rows);
  case key_name::home:
    return move(0);
  case key_name::end:
    return move(lines);
  case key_name::character:
    break;
  case key_name::other:
    return wish::redraw;
  }
  if (x.character >= '0' && x.character <= '9') {
    if (typed_.size() < digits_max)
      typed_ += x.character;
    return wish::redraw;
  }
  if (x.character == 'q')
    return wish::back;
  if (x.character == ' ')
    is_paused_ = !is_paused_;
  return x.character == 'r' ? wish::refresh : wish::redraw;
}

void live_state::fit(size_t lines, size_t rows) {
  offset_ = std::min(offset_, lines > rows ? lines - rows : 0);
}

std::string live_footer(const live_state& state, size_t lines, size_t rows,
                        size_t targets, const look& how) {
  if (!state.typed().empty())
    return paint("Enter opens number " + state.typed() + ", Esc forgets it",
                 tone::strong, how);
  std::string result;
  if (state.is_paused())
    result = paint("paused", tone::warning, how) + "  ";
  std::string rest = "q leaves";
  if (targets > 0)
    rest += "  number + Enter opens";
  rest += state.is_paused() ? "  space goes on" : "  space pauses";
  if (lines > rows)
    rest += "  arrows scroll (" + std::to_string(state.offset() + 1) + " to "
            + std::to_string(std::min(lines, state.offset() + rows)) + " of "
            + std::to_string(lines) + ")";
  return result + paint(rest, tone::quiet, how);
}

std::variant<std::monostate, problem>
run_live_view(const session& node, const invocation& first,
              std::chrono::milliseconds interval) {
  return live_loop{node, interval}.run(first);
}

} // namespace fantail::console
