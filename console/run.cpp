// SPDX-License-Identifier: MIT
#include "console/run.hpp"

#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/request.hpp"
#include "console/signals.hpp"
#include "console/terminal.hpp"
#include "console/text.hpp"
#include "console/views/views.hpp"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace fantail::console {

using namespace std::chrono_literals;

namespace {

constexpr size_t token_bytes_max = 4096;
/// How long is waited for an actor that was made to end.
constexpr auto return_patience = 3s;

std::string variable(const char* name) {
  auto* value = std::getenv(name);
  return value ? value : "";
}

/// The first word of a file, or nothing.
std::optional<std::string> read_token(const std::string& path) {
  std::ifstream file{path};
  std::string token(token_bytes_max, '\0');
  file.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<size_t>(file.gcount()));
  auto first = token.find_first_not_of(" \t\r\n");
  if (first == token.npos)
    return std::nullopt;
  token = token.substr(first, token.find_first_of(" \t\r\n", first) - first);
  // It becomes a header: nothing may break out of that.
  for (auto c : token)
    if (c < 0x21 || c > 0x7e)
      return std::nullopt;
  return token;
}

/// Prints an answer as it is, with a line break at its end.
int print_raw(std::string body) {
  if (!body.ends_with('\n'))
    body += '\n';
  std::fwrite(body.data(), 1, body.size(), stdout);
  return std::fflush(stdout) == 0 ? console_ok : console_error;
}

int run_page(const session& node, const invocation& x, const look& how) {
  if (node.how().as_json) {
    auto body = node.view_json(x);
    if (auto* bad = std::get_if<problem>(&body))
      return report(*bad);
    return print_raw(std::move(std::get<std::string>(body)));
  }
  auto shown = node.view(x, how);
  if (auto* bad = std::get_if<problem>(&shown))
    return report(*bad);
  print(std::get<page>(shown).lines, how);
  return console_ok;
}

/// Prints the events of a stream as they come.
class stream_printer {
public:
  stream_printer(const invocation& x, bool as_json, look how)
      : is_trace_(x.what->name == "trace"), as_json_(as_json),
        tells_gaps_(!is_trace_ && !x.has("kind")), how_(how) {}

  /// False if that was the last one.
  bool take(const std::string& name, const std::string& data) {
    if (name == "end")
      return false;
    if (as_json_)
      return print_raw(data) == console_ok;
    auto event = json::parse(data);
    if (!event)
      return true;
    how_.now_unix_ns = unix_now_ns();
    auto id = whole(*event, "id");
    if (tells_gaps_ && last_id_ >= 0 && id > last_id_ + 1)
      print({paint("(" + show_count(id - last_id_ - 1)
                       + " events were left out: too many at once)",
                   tone::warning, how_)},
            how_);
    last_id_ = id;
    ++count_;
    return print(
        {is_trace_ ? show_hop(*event, how_) : show_event(*event, how_)}, how_);
  }

  size_t count() const noexcept { return count_; }

private:
  const bool is_trace_;
  const bool as_json_;
  const bool tells_gaps_;
  look how_;
  int64_t last_id_ = -1;
  size_t count_ = 0;
};

int run_stream(const session& node, const invocation& x, const look& how) {
  stream_printer printer{x, node.how().as_json, how};
  auto is_watched = is_terminal(STDOUT_FILENO) && !node.how().as_json;
  auto on_open = [&] {
    if (is_watched)
      std::fprintf(stderr, "%s\n",
                   paint(x.what->name == "trace"
                             ? "waiting for it to happen; Ctrl-C ends"
                             : "what happens, as it happens; Ctrl-C ends",
                         tone::quiet, how)
                       .c_str());
  };
  auto ended = node.follow(
      target_of(x),
      [&](auto& name, auto& data) { return printer.take(name, data); }, {},
      on_open);
  if (auto* bad = std::get_if<problem>(&ended))
    return report(*bad);
  if (is_watched && printer.count() == 0 && x.what->name == "trace")
    std::fprintf(stderr, "nothing happened\n");
  return console_ok;
}

/// Waits until an actor that was made to end is back, and says so.
void tell_return(const session& node, const std::string& id, int64_t since,
                 const look& how) {
  auto until = std::chrono::steady_clock::now() + return_patience;
  while (std::chrono::steady_clock::now() < until && !is_interrupted()) {
    auto answer = node.ask_json("/api/v1/actors?limit=1000");
    auto* all = std::get_if<json::value>(&answer);
    if (!all)
      return;
    for (auto& a : list(*all, "actors")) {
      auto ended = whole(a, "last_end_unix_ns");
      auto began = whole(a, "running_since_unix_ns");
      if (a.string_or("id", "") != id || ended < since || began < ended)
        continue;
      print({paint("back after "
                       + show_seconds(static_cast<double>(began - ended) / 1e9),
                   tone::good, how)
             + ", it ended by: " + plain_cause(text(a, "last_cause"))},
            how);
      return;
    }
    std::this_thread::sleep_for(50ms);
  }
  print({paint("It has not ended and come back so far; see: fantail actor "
                   + printable(id),
               tone::warning, how)},
        how);
}

/// On a terminal: shows what would happen, and asks.
std::optional<problem> ask_first(const session& node, const invocation& x,
                                 const look& how) {
  auto name = std::string{x.what->name};
  if (!is_terminal(STDIN_FILENO) || !is_terminal(STDERR_FILENO))
    return problem{console_usage,
                   name
                       + " changes the node: confirm with --yes, or try it "
                         "with --dry-run"};
  auto trial = x;
  trial.options["dry-run"] = "true";
  auto answer = node.change(target_of(trial));
  if (auto* bad = std::get_if<problem>(&answer))
    return *bad;
  if (auto shown = json::parse(std::get<std::string>(answer))) {
    auto lines = show_action(*shown, how).lines;
    for (size_t i = 1; i < lines.size(); ++i)
      std::fprintf(stderr, "%s\n", lines[i].c_str());
  }
  if (!confirm(name + " " + printable(x.argument(0)) + "?"))
    return problem{console_usage, "nothing was changed"};
  return std::nullopt;
}

int run_change(const session& node, const invocation& x, const look& how) {
  auto is_dry = x.has("dry-run");
  auto is_asked = !is_dry && !x.has("yes");
  if (is_asked)
    if (auto bad = ask_first(node, x, how))
      return report(*bad);
  auto since = unix_now_ns();
  auto answer = node.change(target_of(x));
  if (auto* bad = std::get_if<problem>(&answer))
    return report(*bad);
  auto& body = std::get<std::string>(answer);
  if (node.how().as_json)
    return print_raw(body);
  auto shown = json::parse(body);
  if (!shown)
    return report({console_error, "the node's answer is no JSON"});
  auto lines = show_action(*shown, how).lines;
  // What happens was said with the question.
  if (is_asked)
    lines.resize(1);
  print(lines, how);
  auto is_kill = x.what->name == "kill" && x.option("mode") != "hang";
  if (is_kill && !is_dry && text(*shown, "outcome") == "done")
    tell_return(node, x.argument(0), since, how);
  return console_ok;
}

} // namespace

int report(const problem& x) {
  if (x.text != "interrupted")
    std::fprintf(stderr, "fantail: %s\n", x.text.c_str());
  return x.exit_code;
}

std::variant<settings, problem> make_settings(const connection_options& from) {
  settings result;
  auto url = from.url.empty() ? variable("FANTAIL_URL") : from.url;
  if (!url.empty()) {
    auto parsed = parse_address(url);
    if (auto* bad = std::get_if<std::string>(&parsed))
      return problem{console_usage, *bad};
    result.at = std::get<address>(parsed);
  }
  result.as_json = from.as_json;
  result.timeout = std::chrono::milliseconds{
      std::max<int64_t>(1, std::llround(from.timeout_seconds * 1000))};
  if (!from.token_file.empty()) {
    auto token = read_token(from.token_file);
    if (!token)
      return problem{console_usage,
                     "cannot read a token from " + printable(from.token_file)};
    result.token = *token;
    result.is_token_given = true;
  } else if (auto token = variable("FANTAIL_TOKEN"); !token.empty()) {
    result.token = token;
    result.is_token_given = true;
  } else {
    result.token = read_token(default_token_file).value_or("");
  }
  for (auto c : result.token)
    if (c < 0x21 || c > 0x7e)
      return problem{console_usage, "FANTAIL_TOKEN holds what no token has"};
  return result;
}

int run_command(const session& node, const invocation& x, const look& how) {
  switch (x.what->kind) {
  case command_kind::page:
    return run_page(node, x, how);
  case command_kind::stream:
    return run_stream(node, x, how);
  case command_kind::change:
    return run_change(node, x, how);
  case command_kind::prompt:
    break;
  }
  return report({console_usage, "\"" + std::string{x.what->name}
                                    + "\" works at the console's prompt only"});
}

int run_once(const connection_options& from, const invocation& x) {
  catch_signals();
  if (auto wrong = check(x); !wrong.empty())
    return report({console_usage, wrong});
  auto made = make_settings(from);
  if (auto* bad = std::get_if<problem>(&made))
    return report(*bad);
  session node{std::get<settings>(made)};
  return run_command(node, x, look_of_output());
}

} // namespace fantail::console
