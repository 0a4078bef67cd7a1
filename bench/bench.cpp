// SPDX-License-Identifier: MIT
#include "bench/bench.hpp"

#include "bench/bench_context.hpp"
#include "bench/burst_bench.hpp"
#include "bench/chat_body.hpp"
#include "bench/churn_bench.hpp"
#include "bench/drain_bench.hpp"
#include "bench/e2e_bench.hpp"
#include "bench/in_process.hpp"
#include "bench/machine_facts.hpp"
#include "bench/members_bench.hpp"
#include "bench/presence_bench.hpp"
#include "bench/restart_bench.hpp"
#include "bench/slow_bench.hpp"
#include "bench/spike_bench.hpp"
#include "bench/steady_bench.hpp"
#include "bench/wide_bench.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace fantail {

namespace {

using namespace bench;

constexpr int exit_usage = 2;
constexpr unsigned pairs_max = 100;
constexpr unsigned body_bytes_max = 64 * 1024;
constexpr unsigned spread_max = 20;
constexpr double scale_max = 10;

using reports = std::vector<bench_report>;

/// A benchmark by its name.
struct entry {
  std::string_view name;
  reports (*run)(bench_context&);
};

constexpr entry entries[] = {
    {"table", report_table_bench},
    {"route",
     [](bench_context& x) {
       return reports{report_route_bench(x)};
     }},
    {"drain", run_drain_bench},
    {"steady",
     [](bench_context& x) {
       return reports{run_steady_bench(x)};
     }},
    {"wide",
     [](bench_context& x) {
       return reports{run_wide_bench(x)};
     }},
    {"e2e",
     [](bench_context& x) {
       return reports{run_e2e_bench(x)};
     }},
    {"restart",
     [](bench_context& x) {
       return reports{run_restart_bench(x)};
     }},
    {"slow",
     [](bench_context& x) {
       return reports{run_slow_bench(x)};
     }},
    {"burst",
     [](bench_context& x) {
       return reports{run_burst_bench(x)};
     }},
    {"spike",
     [](bench_context& x) {
       return reports{run_spike_bench(x)};
     }},
    {"presence",
     [](bench_context& x) {
       return reports{run_presence_bench(x)};
     }},
    {"churn",
     [](bench_context& x) {
       return reports{run_churn_bench(x)};
     }},
    {"members",
     [](bench_context& x) {
       return reports{run_members_bench(x)};
     }},
};

bool is_one_of(std::string_view word,
               std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

/// What is wrong with the options, or nullptr.
const char* problem_with(const bench_options& x) {
  auto names = bench_names();
  if (std::ranges::find(names, x.bench) == names.end())
    return "there is no bench of this name";
  if (!is_one_of(x.format, {"frame", "single"}))
    return "the format is frame or single";
  if (!is_one_of(x.storage, {"memory", "file", "both"}))
    return "the storage is memory, file or both";
  if (x.pairs < 1 || x.pairs > pairs_max)
    return "there are 1 to 100 pairs";
  if (x.spread < 1 || x.spread > spread_max)
    return "the spread is 1 to 20";
  if (!(x.scale > 0) || x.scale > scale_max)
    return "the scale is above 0 and at most 10";
  if (x.body_bytes < chat_body::bytes_min || x.body_bytes > body_bytes_max)
    return "a body has 160 to 65536 bytes";
  if (x.rate < 0 || x.duration_s < 0 || x.kill_every_s < 0)
    return "rate, duration and kill-every are not negative";
  return nullptr;
}

bool uses_colors(std::FILE* out) {
  auto* no_color = std::getenv("NO_COLOR");
  return ::isatty(::fileno(out)) == 1 && (!no_color || !*no_color);
}

bool write_json(const std::string& path, const machine_facts& machine,
                const reports& results, int code) {
  json::array benches;
  for (auto& x : results)
    benches.push_back(to_json(x));
  json::object document{{"machine", to_json(machine)},
                        {"benches", std::move(benches)},
                        {"exit_code", code}};
  std::ofstream out{path};
  out << json::serialize(document, true) << '\n';
  return out.good();
}

/// Runs what was asked for; returns false if something could not be measured.
bool run_entries(bench_context& context, reports& results) {
  auto& options = context.options();
  for (auto& entry : entries) {
    if (options.bench != "all" && options.bench != entry.name)
      continue;
    try {
      std::ranges::move(entry.run(context), std::back_inserter(results));
    } catch (const bench_error& error) {
      context.progress().finish();
      std::fprintf(options.progress, "%s: %s\n",
                   std::string{entry.name}.c_str(), error.what());
      return false;
    } catch (const interrupted&) {
      context.progress().finish();
      std::fprintf(options.progress, "stopped\n");
      return false;
    }
  }
  return true;
}

} // namespace

std::vector<std::string> bench_names() {
  std::vector<std::string> result{"all"};
  for (auto& entry : entries)
    result.emplace_back(entry.name);
  return result;
}

int run_bench(const bench_options& options) {
  if (auto* problem = problem_with(options)) {
    std::fprintf(options.progress, "%s\n", problem);
    return exit_usage;
  }
  auto adjusted = options;
  if (options.quick)
    adjusted.pairs = 1;
  bench_context context{adjusted};
  auto machine = read_machine_facts();
  std::fprintf(options.out, "%s\n", to_string(machine).c_str());
  reports results;
  auto is_complete = run_entries(context, results);
  context.progress().finish();
  auto code = is_complete ? exit_code(results) : bench_exit::failed;
  auto table = render_table(results, uses_colors(options.out));
  std::fputs(table.c_str(), options.out);
  std::fflush(options.out);
  if (!options.json_path.empty()
      && !write_json(options.json_path, machine, results, code)) {
    std::fprintf(options.progress, "cannot write %s\n",
                 options.json_path.c_str());
    return bench_exit::failed;
  }
  return code;
}

} // namespace fantail
