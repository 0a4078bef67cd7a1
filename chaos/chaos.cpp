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

long long in_ms(duration x) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(x).count();
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
  if (!length)
    return fail(chaos_bad_plan,
                "--duration is a time such as 30m, not " + options.duration);
  auto& what = std::get<plan>(loaded);
  if (make_schedule(what, options.seed, *length).empty())
    return fail(chaos_bad_plan, "the plan " + what.name + " breaks nothing in "
                                    + options.duration
                                    + ": it is quiet for the first "
                                    + std::to_string(in_ms(what.warm_up))
                                    + " ms and begins nothing in the last "
                                    + std::to_string(in_ms(what.interval))
                                    + " ms; take a longer --duration");
  return run_options{options, std::move(what), *length};
}

void print_schedule_as_json(const plan& what, uint64_t seed,
                            const std::vector<scheduled_fault>& schedule) {
  json::array faults;
  for (auto& x : schedule)
    faults.push_back(
        json::object{{"at_ms", int64_t{in_ms(x.at)}},
                     {"kind", to_string(what.faults[x.fault].what)},
                     {"lasts_ms", takes_time(what.faults[x.fault].what)
                                      ? json::value{int64_t{in_ms(x.lasts)}}
                                      : json::value{}},
                     {"target", needs_admin_api(what.faults[x.fault].what)
                                    ? json::value{what.faults[x.fault].target}
                                    : json::value{}}});
  auto text = json::serialize(json::object{{"plan", what.name},
                                           {"seed", std::to_string(seed)},
                                           {"faults", std::move(faults)}},
                              true);
  std::printf("%s\n", text.c_str());
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
  auto schedule = make_schedule(what, options.seed, length);
  if (options.json) {
    print_schedule_as_json(what, options.seed, schedule);
    return chaos_passed;
  }
  std::printf("plan %s, seed %llu, %s: %zu faults\n", what.name.c_str(),
              static_cast<unsigned long long>(options.seed),
              options.duration.c_str(), schedule.size());
  for (auto& x : schedule) {
    auto& fault = what.faults[x.fault];
    auto kind = std::string{to_string(fault.what)};
    auto lasts = takes_time(fault.what)
                     ? "for " + std::to_string(in_ms(x.lasts)) + " ms"
                     : std::string{};
    std::printf("%9.3f s  %-18s %-12s %s\n",
                static_cast<double>(in_ms(x.at)) / 1000, kind.c_str(),
                lasts.c_str(),
                needs_admin_api(fault.what) ? fault.target.c_str() : "");
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
                judged.result().invalid_because(config.decided_min)};
  if (!history.cut().empty())
    result.remarks.push_back(history.cut());
  return print(result, as_json);
}

} // namespace fantail
