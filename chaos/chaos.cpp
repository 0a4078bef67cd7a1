// SPDX-License-Identifier: MIT
#include "chaos/chaos.hpp"

#include "chaos/history/history_reader.hpp"
#include "chaos/plan/schedule.hpp"
#include "chaos/run/report.hpp"
#include "chaos/run/run.hpp"

#include <cstdio>
#include <fstream>
#include <sstream>

namespace fantail {

namespace {

using namespace chaos;

int fail(int code, const std::string& why) {
  std::fprintf(stderr, "fantail: %s\n", why.c_str());
  return code;
}

/// A shipped plan by its name, else a file.
std::variant<plan, std::string> load_plan(const std::string& name) {
  for (auto* x = shipped_plans; !x->text.empty(); ++x)
    if (x->name == name)
      return parse_plan(x->text, name + ".plan");
  std::ifstream file{name};
  if (file) {
    std::stringstream text;
    text << file.rdbuf();
    return parse_plan(text.str(), name);
  }
  std::string known;
  for (auto* x = shipped_plans; !x->text.empty(); ++x)
    known.append(known.empty() ? "" : ", ").append(x->name);
  return "no plan and no file is called " + name + "; shipped plans are "
         + known;
}

int print(const report& x, bool as_json) {
  auto text
      = as_json ? json::serialize(to_json(x), true) + "\n" : to_markdown(x);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  switch (x.judged) {
  case verdict::passed:
    return chaos_passed;
  case verdict::failed:
    return chaos_failed;
  default:
    return chaos_invalid;
  }
}

/// Reads what both commands need; an exit code if that fails.
std::variant<run_options, int> read_options(const chaos_options& options) {
  auto loaded = load_plan(options.plan);
  if (auto* why = std::get_if<std::string>(&loaded))
    return fail(chaos_bad_plan, *why);
  auto length = parse_duration(options.duration);
  if (!length || *length < std::chrono::seconds{1})
    return fail(chaos_bad_plan,
                "--duration is a time such as 30m, at least 1s");
  return run_options{options, std::get<plan>(std::move(loaded)), *length};
}

} // namespace

int run_chaos(const chaos_options& options) {
  auto read = read_options(options);
  if (auto* code = std::get_if<int>(&read))
    return *code;
  auto result = chaos::run(std::get<run_options>(read));
  if (auto* why = std::get_if<std::string>(&result))
    return fail(chaos_not_done, *why);
  return print(std::get<report>(result), options.json);
}

int show_chaos_schedule(const chaos_options& options) {
  auto read = read_options(options);
  if (auto* code = std::get_if<int>(&read))
    return *code;
  auto& [rest, what, length] = std::get<run_options>(read);
  using ms = std::chrono::milliseconds;
  for (auto& x : make_schedule(what, options.seed, length)) {
    auto at = std::chrono::duration_cast<ms>(x.at).count();
    auto lasts = std::chrono::duration_cast<ms>(x.lasts).count();
    auto kind = std::string{to_string(what.faults[x.fault].what)};
    std::printf("%9.3f s  %-18s %6lld ms  %016llx\n",
                static_cast<double>(at) / 1000, kind.c_str(),
                static_cast<long long>(lasts),
                static_cast<unsigned long long>(x.pick));
  }
  return chaos_passed;
}

int check_chaos(const std::string& path, bool as_json) {
  auto opened = history_reader::open(path);
  if (auto* why = std::get_if<std::string>(&opened))
    return fail(chaos_not_done, *why);
  auto& history = *std::get<0>(opened);
  checker_config config;
  config.formats = history.head().formats;
  checker judged{config};
  while (auto x = history.next())
    judged.take(*x);
  if (!history.problem().empty())
    return fail(chaos_not_done, history.problem());
  judged.finish();
  report result{history.head(), judged.result(), judged.judge(),
                config.decided_min};
  if (!history.cut().empty())
    result.remarks.push_back(history.cut());
  return print(result, as_json);
}

} // namespace fantail
