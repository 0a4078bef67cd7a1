// SPDX-License-Identifier: MIT
#include "bench/in_process.hpp"

#include "bench/machine_facts.hpp"
#include "bench/route_bench.hpp"
#include "bench/side.hpp"
#include "bench/table_bench.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fantail::bench {

namespace {

constexpr double bytes_per_membership_max = 6;
constexpr double memberships_per_second_min = 3e6;
constexpr double lookups_per_second_min = 5e6;
constexpr double lookup_p99_ns_max = 2'000;

constexpr double node_resident_mib_max = 3e9 / (1 << 20);

uint32_t scaled(const bench_options& options, double x) {
  auto factor = options.quick ? 0.01 : options.scale;
  return static_cast<uint32_t>(std::max(1.0, x * factor));
}

population_config stress_world(const bench_options& options) {
  population_config result;
  result.users = scaled(options, 500'000);
  result.channels = scaled(options, 2'000'000);
  result.instances = 500;
  result.channels_per_user = 400;
  return result;
}

loaded_tables_config tables_of(const bench_options& options,
                               membership_shape shape) {
  loaded_tables_config result;
  result.population.shape = shape;
  result.population.users = scaled(options, 100'000);
  result.population.channels = scaled(options, 500'000);
  result.population.spread = static_cast<uint16_t>(options.spread);
  return result;
}

progress_callback show_on(bench_context& context) {
  return [&context](std::string_view what, double done) {
    context.check_stop();
    context.progress().detail(fmt::format("{} {:.0f} %", what, done * 100));
  };
}

bench_report begin_report(const std::string& bench,
                          const loaded_tables_config& tables) {
  bench_report result;
  result.bench = bench;
  auto& world = tables.population;
  result.conditions = {{"users", world.users},
                       {"channels", world.channels},
                       {"instances", world.instances},
                       {"shards", tables.shards}};
  return result;
}

void add(bench_report& to, std::string what, double figure,
         std::optional<target> goal, int decimals) {
  to.findings.push_back(
      {to.bench, std::move(what), std::nullopt, figure, goal, decimals});
}

bench_report report_table(bench_context& context, const std::string& name,
                          const loaded_tables_config& tables) {
  using kind = target::kind;
  table_bench_config config;
  config.tables = tables;
  if (context.options().quick)
    config.reconnects = 100;
  context.progress().step("table, " + name);
  auto x = run_table_bench(config, show_on(context));
  auto report = begin_report("table", config.tables);
  report.conditions["shape"] = name;
  report.conditions["memberships"] = x.memberships;
  report.conditions["spread"] = x.spread;
  add(report, "bytes/membership, " + name, x.bytes_per_membership,
      target{kind::at_most, bytes_per_membership_max}, 2);
  add(report, "memberships/s loaded, " + name, x.memberships_per_second,
      target{kind::at_least, memberships_per_second_min}, 0);
  add(report, "RSS bytes/membership, " + name, x.resident_per_membership, {},
      2);
  add(report, "RSS MiB, " + name,
      static_cast<double>(x.resident_bytes) / (1 << 20), {}, 0);
  add(report, "presence changes/s, " + name, x.presence_changes_per_second, {},
      0);
  return report;
}

/// The table alone, and then a node that got it through its presence logs.
bench_report report_stress(bench_context& context) {
  loaded_tables_config tables;
  tables.population = stress_world(context.options());
  auto report = report_table(context, "stress", tables);
  auto& world = tables.population;
  context.progress().step(
      fmt::format("table, stress: bringing {} users online", world.users));
  side node{context, {world}};
  report.conditions["fill_seconds"] = node.fill(context);
  auto used = usage_of(node.program->pid());
  add(report, "RSS of the node, MiB, stress",
      static_cast<double>(used.resident_bytes) / (1 << 20),
      target{target::kind::at_most, node_resident_mib_max}, 0);
  node.program->stop();
  return report;
}

} // namespace

std::vector<bench_report> report_table_bench(bench_context& context) {
  auto& options = context.options();
  if (options.stress)
    return {report_stress(context)};
  auto of = [&](const char* name, membership_shape shape) {
    return report_table(context, name, tables_of(options, shape));
  };
  return {of("uniform", membership_shape::uniform),
          of("size classes", membership_shape::size_classes)};
}

bench_report report_route_bench(bench_context& context) {
  using kind = target::kind;
  route_bench_config config;
  config.tables = tables_of(context.options(), membership_shape::spread);
  if (context.options().quick) {
    config.events = 100'000;
    config.events_timed = 20'000;
  }
  context.progress().step("route");
  auto x = run_route_bench(config, show_on(context));
  auto report = begin_report("route", config.tables);
  report.conditions["memberships"] = x.memberships;
  report.conditions["spread"] = x.spread;
  add(report, "lookups/s", x.lookups_per_second,
      target{kind::at_least, lookups_per_second_min}, 0);
  add(report, "lookup p50, ns", x.p50_ns, {}, 0);
  add(report, "lookup p99, ns", x.p99_ns,
      target{kind::at_most, lookup_p99_ns_max}, 0);
  add(report, "lookup p99.9, ns", x.p999_ns, {}, 0);
  add(report, "RSS MiB", static_cast<double>(x.resident_bytes) / (1 << 20), {},
      0);
  return report;
}

} // namespace fantail::bench
