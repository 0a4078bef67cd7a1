// SPDX-License-Identifier: MIT
#include "app/console_commands.hpp"

#include "console/format.hpp"
#include "console/palette.hpp"
#include "console/request.hpp"

#include <CLI/CLI.hpp>

#include <vector>

namespace fantail {

namespace {

using console::command_kind;
using console::command_spec;

std::vector<std::string>
strings_of(const std::vector<std::string_view>& choices) {
  return {choices.begin(), choices.end()};
}

std::string check_timeout(const std::string& text) {
  auto seconds = console::parse_seconds(text);
  return seconds && *seconds >= 0.001 && *seconds <= 3600
             ? ""
             : "write a time such as 500ms or 5s, up to 1h";
}

void add_connection(CLI::App& to, console_words& words) {
  auto& from = words.from;
  to.add_option("--url", from.url,
                "Where the node answers [FANTAIL_URL, else "
                    + console::address{}.url() + "]");
  to.add_option("--token-file", from.token_file,
                "File with the token for changes [FANTAIL_TOKEN, else "
                    + std::string{console::default_token_file} + "]");
  to.add_option("--timeout", words.timeout, "How long to wait for an answer")
      ->type_name("TIME")
      ->capture_default_str()
      ->check(CLI::Validator{check_timeout, ""});
  to.add_flag("--json", from.as_json, "What the node answers, unchanged");
}

/// The heading it stands below in the list of all commands.
std::string group_of(const command_spec& spec) {
  return spec.kind == command_kind::change ? "To change a running node (asks)"
                                           : "To look into a running node";
}

/// The command for a name of one or two words, e.g. `users show`.
CLI::App& subcommand_for(CLI::App& app, const command_spec& spec) {
  std::string name{spec.name};
  std::string about{spec.about};
  auto space = name.find(' ');
  if (space == name.npos)
    return *app.add_subcommand(name, about)->group(group_of(spec));
  auto first = name.substr(0, space);
  auto* group = app.add_subcommand(first, about);
  group->group(group_of(spec));
  group->require_subcommand(1);
  return *group->add_subcommand(name.substr(space + 1), about);
}

void add_words(CLI::App& to, const command_spec& spec,
               console_words::command& into) {
  for (auto& argument : spec.arguments) {
    auto& value = into.arguments.emplace_back();
    auto* option = to.add_option(std::string{argument.name}, value);
    option->required();
    if (!argument.choices.empty())
      option->check(CLI::IsMember(strings_of(argument.choices)));
  }
  for (auto& x : spec.options) {
    std::string name{x.name};
    std::string about{x.about};
    if (x.value.empty()) {
      to.add_flag("--" + name, into.flags[name], about);
      continue;
    }
    auto* option = to.add_option("--" + name, into.options[name], about);
    option->type_name(std::string{x.value});
    if (!x.choices.empty())
      option->check(CLI::IsMember(strings_of(x.choices)));
  }
}

console::invocation invocation_of(const command_spec& spec,
                                  const console_words::command& from) {
  console::invocation result;
  result.what = &spec;
  result.arguments.assign(from.arguments.begin(), from.arguments.end());
  for (auto& [name, value] : from.options)
    if (!value.empty())
      result.options[name] = value;
  for (auto& [name, is_set] : from.flags)
    if (is_set)
      result.options[name] = "true";
  return result;
}

const console::connection_options& complete(console_words& words) {
  words.from.timeout_seconds
      = console::parse_seconds(words.timeout).value_or(5);
  return words.from;
}

void add_console(CLI::App& app, console_words& words,
                 std::function<int()>& chosen) {
  auto* sub = app.add_subcommand(
      "console",
      "Interactive console of a running node: looks, follows, kills");
  sub->group("To look into a running node");
  sub->add_option("URL", words.from.url, "The same as --url");
  add_connection(*sub, words);
  sub->footer("At its prompt: help, Tab, and the number of a row to open it.\n"
              "Without a terminal it runs the commands of stdin and ends at the"
              "\nfirst that fails.\n\n"
              + console::exit_codes_help()
              + "\n\nExamples:\n  fantail console\n"
                "  fantail console http://127.0.0.1:7481\n"
                "  echo diagnose | fantail console");
  sub->callback([&] {
    chosen = [&words] {
      return console::run_console(complete(words));
    };
  });
}

} // namespace

void add_console_commands(CLI::App& app, console_words& words,
                          std::function<int()>& chosen) {
  add_console(app, words, chosen);
  for (auto& spec : console::palette()) {
    if (spec.kind == command_kind::prompt)
      continue;
    auto& into = words.commands.emplace_back();
    auto& sub = subcommand_for(app, spec);
    add_words(sub, spec, into);
    add_connection(sub, words);
    auto more = std::string{spec.more};
    sub.footer((more.empty() ? "" : more + "\n\n")
               + console::exit_codes_help());
    sub.callback([&spec, &into, &words, &chosen] {
      chosen = [&] {
        return console::run_once(complete(words), invocation_of(spec, into));
      };
    });
  }
}

} // namespace fantail
