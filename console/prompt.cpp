// SPDX-License-Identifier: MIT
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/help.hpp"
#include "console/line_editor.hpp"
#include "console/live_view.hpp"
#include "console/request.hpp"
#include "console/run.hpp"
#include "console/signals.hpp"
#include "console/terminal.hpp"
#include "console/text.hpp"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>

namespace fantail::console {

using namespace std::chrono_literals;

namespace {

/// How long names are good for completion before the node is asked again.
constexpr auto names_last = 5s;
constexpr double watch_seconds_default = 2;

/// Names of a node for completion, asked when they are due.
class name_cache {
public:
  explicit name_cache(const session& node) : node_(node) {}

  std::vector<std::string> get(word_kind kind) {
    auto& entry = entries_[kind];
    auto now = std::chrono::steady_clock::now();
    if (entry.names.empty() || now - entry.asked_at > names_last) {
      entry.names = ask(kind);
      entry.asked_at = now;
    }
    return entry.names;
  }

private:
  struct names_of_kind {
    std::vector<std::string> names;
    std::chrono::steady_clock::time_point asked_at;
  };

  std::vector<std::string> ask(word_kind kind) const {
    if (kind == word_kind::actor)
      return collect("/api/v1/actors?limit=1000", "actors", "id");
    if (kind == word_kind::instance)
      return collect("/api/v1/instances", "instances", "name");
    auto result
        = collect("/api/v1/channels?top=cost&limit=100", "channels", "name");
    for (auto& x :
         collect("/api/v1/channels?top=members&limit=100", "channels", "name"))
      result.push_back(std::move(x));
    return result;
  }

  std::vector<std::string> collect(const std::string& target, const char* of,
                                   const char* key) const {
    std::vector<std::string> result;
    auto answer = node_.ask_json(target);
    if (auto* body = std::get_if<json::value>(&answer))
      for (auto& x : list(*body, of))
        if (auto name = x.string_or(key, "");
            !name.empty() && printable(name) == name)
          result.push_back(std::move(name));
    return result;
  }

  const session& node_;
  std::map<word_kind, names_of_kind> entries_;
};

class prompt_loop {
public:
  explicit prompt_loop(settings how)
      : node_(std::move(how)), names_(node_),
        is_interactive_(is_terminal(STDIN_FILENO)
                        && is_terminal(STDOUT_FILENO)) {}

  int run() {
    if (is_interactive_)
      greet();
    line_editor editor{{is_interactive_ ? history_file() : std::string{},
                        [this](word_kind kind) {
                          return names_.get(kind);
                        }}};
    for (;;) {
      std::string line;
      auto outcome = editor.read(prompt(), line);
      if (!is_asked_to_end())
        forget_interrupt();
      if (outcome == line_editor::outcome::ended)
        return last_code_;
      if (outcome == line_editor::outcome::given_up)
        continue;
      if (!obey(line) || (!is_interactive_ && last_code_ != console_ok))
        return last_code_;
    }
  }

private:
  /// A node that could not be reached at first may be there by now.
  void ask_name() {
    auto answer = node_.ask_json("/api/v1/node");
    if (auto* x = std::get_if<json::value>(&answer))
      name_ = text(*x, "name");
  }

  /// What runs there, and how to go on.
  void greet() {
    auto how = page_look();
    auto answer = node_.ask_json("/api/v1/node");
    if (auto* bad = std::get_if<problem>(&answer)) {
      last_code_ = report(*bad);
    } else {
      auto& x = std::get<json::value>(answer);
      name_ = text(x, "name");
      auto is_well = text(x, "status") == "ok";
      print({heading(name_, "at " + node_.how().at.url(), how) + "  "
                 + paint(text(x, "status"), is_well ? tone::good : tone::bad,
                         how),
             ""},
            how);
    }
    print({"diagnose   says whether all is well, and if not, why",
           "top        shows the actors at work",
           "help       lists all commands; Tab completes them", ""},
          how);
  }

  std::string prompt() {
    if (name_.empty() && is_interactive_ && last_code_ == console_ok)
      ask_name();
    auto how = look_of_output();
    auto name = (name_.empty() ? "fantail" : name_) + "> ";
    if (!how.has_colours)
      return name;
    // The marks tell the editor what takes no columns.
    return "\1\033[1;36m\1" + name + "\1\033[0m\1";
  }

  look page_look() const {
    auto result = look_of_output();
    result.has_numbers = is_interactive_;
    return result;
  }

  /// False if that was the last command.
  bool obey(const std::string& line) {
    auto words = split_words(line);
    if (words.empty() || words[0].starts_with('#'))
      return true;
    if (words.size() == 1)
      if (auto number = parse_whole(words[0], 0, INT32_MAX))
        return open(static_cast<size_t>(*number));
    if (words[0] == "exit" || words[0] == "?")
      words[0] = words[0] == "?" ? "help" : "quit";
    auto parsed = parse_command(words);
    if (auto* wrong = std::get_if<std::string>(&parsed)) {
      last_code_ = report({console_usage, *wrong});
      return true;
    }
    return run(std::get<invocation>(parsed));
  }

  /// The row with that number in what was shown last.
  bool open(size_t number) {
    if (number < 1 || number > targets_.size()) {
      last_code_
          = report({console_usage,
                    targets_.empty() ? "nothing that was shown has numbers"
                                     : "numbers go from 1 to "
                                           + std::to_string(targets_.size())});
      return true;
    }
    auto line = targets_[number - 1];
    print({paint(line, tone::quiet, page_look())}, page_look());
    return obey(line);
  }

  bool run(const invocation& x) {
    auto name = x.what->name;
    last_code_ = console_ok;
    if (name == "quit")
      return false;
    if (name == "help")
      help(x);
    else if (name == "top")
      top(x);
    else if (name == "watch")
      watch(x);
    else if (x.what->kind == command_kind::page && !node_.how().as_json)
      show(x);
    else
      last_code_ = run_command(node_, x, page_look());
    if (!is_asked_to_end())
      forget_interrupt();
    return !is_asked_to_end();
  }

  /// Like run_command(), but remembers what the numbers mean.
  void show(const invocation& x) {
    auto how = page_look();
    auto answer = node_.view(x, how);
    if (auto* bad = std::get_if<problem>(&answer)) {
      last_code_ = report(*bad);
      return;
    }
    auto& shown = std::get<page>(answer);
    print(shown.lines, how);
    if (!shown.targets.empty())
      targets_ = std::move(shown.targets);
  }

  void help(const invocation& x) {
    std::string name;
    for (auto& word : x.arguments)
      name += (name.empty() ? "" : " ") + word;
    auto lines
        = name.empty() ? help_on_all(page_look()) : help_on(name, page_look());
    if (lines.empty())
      last_code_ = report(
          {console_usage, "there is no command \"" + printable(name) + "\""});
    print(lines, page_look());
  }

  void top(const invocation& x) {
    invocation actors;
    actors.what = find_command("actors");
    auto measure = x.argument(0);
    actors.options["top"] = measure.empty() ? "rate" : measure;
    actors.options["limit"] = "50";
    live(actors, watch_seconds_default);
  }

  void watch(const invocation& x) {
    auto words = x.arguments;
    auto seconds = words.size() > 1 ? parse_seconds(words[0]) : std::nullopt;
    if (seconds)
      words.erase(words.begin());
    if (seconds && (*seconds < 0.2 || *seconds > 3600)) {
      last_code_ = report(
          {console_usage, "watch takes a time from 0.2s to 1h, such as 2s"});
      return;
    }
    auto parsed = parse_command(words);
    if (auto* wrong = std::get_if<std::string>(&parsed)) {
      last_code_ = report({console_usage, *wrong});
      return;
    }
    auto& command = std::get<invocation>(parsed);
    if (command.what->kind != command_kind::page) {
      last_code_ = report(
          {console_usage, "only what shows a page can be watched, not \""
                              + std::string{command.what->name} + "\""});
      return;
    }
    live(command, seconds.value_or(watch_seconds_default));
  }

  void live(const invocation& x, double seconds) {
    if (!is_interactive_) {
      last_code_ = report({console_usage, "live views need a terminal"});
      return;
    }
    auto interval = std::chrono::milliseconds{std::llround(seconds * 1000)};
    auto ended = run_live_view(node_, x, interval);
    if (auto* bad = std::get_if<problem>(&ended))
      last_code_ = report(*bad);
  }

  session node_;
  name_cache names_;
  const bool is_interactive_;
  std::string name_;
  std::vector<std::string> targets_;
  int last_code_ = console_ok;
};

} // namespace

int run_console(const connection_options& from) {
  catch_signals();
  auto made = make_settings(from);
  if (auto* bad = std::get_if<problem>(&made))
    return report(*bad);
  return prompt_loop{std::get<settings>(made)}.run();
}

} // namespace fantail::console
