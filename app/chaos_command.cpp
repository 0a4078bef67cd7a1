// SPDX-License-Identifier: MIT
#include "app/chaos_command.hpp"

#include <filesystem>
#include <random>

namespace fantail {

namespace {

void add_plan_options(CLI::App& to, chaos_options& options) {
  to.add_option("plan", options.plan,
                "actors, supervisors, nats, everything, or a file")
      ->required();
  to.add_option("--seed", options.seed,
                "The same seed gives the same schedule [a random one]");
  to.add_option("--duration", options.duration, "How long, such as 30m")
      ->capture_default_str();
}

void choose_seed(const CLI::App& from, chaos_options& options) {
  if (from.count("--seed") == 0)
    options.seed = std::random_device{}();
}

void add_run(CLI::App& to, chaos_options& options, command& chosen) {
  auto* sub = to.add_subcommand(
      "run", "Breaks a node of its own under load and judges what came of it");
  add_plan_options(*sub, options);
  sub->add_option(
      "--keep", options.keep,
      "Keeps the history in this file, and the node's log beside it");
  sub->add_flag("--json", options.json, "The report as JSON");
  sub->add_option("--rate", options.rate, "Chat events per second")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  sub->add_option("--churn", options.churn, "Presence changes per second")
      ->capture_default_str()
      ->check(CLI::Range(0, 100'000));
  sub->add_option("--users", options.users, "Users")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  sub->add_option("--channels", options.channels, "Channels")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000'000));
  sub->add_option("--instances", options.instances,
                  "Instances, frame and single in turn")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  sub->add_option("--server", options.server, "The nats-server")
      ->capture_default_str();
  sub->add_option("--node", options.program,
                  "The executable of the node [this one]")
      ->check(CLI::ExistingFile);
  sub->add_option("--set", options.node_settings,
                  "Overrides one key of the node; repeatable")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
  sub->footer("Exit codes: 0 all promises were kept, 99 one was not, 97 the "
              "run proves nothing,\n3 the plan is wrong, 1 the run could not "
              "be done.\n\n"
              "Examples:\n"
              "  fantail chaos run nats --duration 1m\n"
              "  fantail chaos run everything --duration 30m --seed 7 --keep "
              "run.jsonl\n"
              "  fantail chaos run my.plan --rate 2000 --json");
  sub->callback([sub, &options, &chosen] {
    choose_seed(*sub, options);
    chosen = [&options] {
      options.stop = &stop_requested();
      if (options.program.empty())
        options.program = std::filesystem::read_symlink("/proc/self/exe");
      options.build = FANTAIL_VERSION;
      return run_chaos(options);
    };
  });
}

void add_schedule(CLI::App& to, chaos_options& options, command& chosen) {
  auto* sub = to.add_subcommand("schedule", "Prints what a run would break");
  add_plan_options(*sub, options);
  sub->add_flag("--json", options.json, "The schedule as JSON");
  sub->footer("Example:\n"
              "  fantail chaos schedule nats --seed 7 --duration 5m");
  sub->callback([sub, &options, &chosen] {
    choose_seed(*sub, options);
    chosen = [&options] {
      return show_chaos_schedule(options);
    };
  });
}

void add_check(CLI::App& to, chaos_command& what, command& chosen) {
  auto* sub = to.add_subcommand("check", "Judges a kept history once more");
  sub->add_option("file", what.history, "What --keep has written")->required();
  sub->add_flag("--json", what.as_json, "The report as JSON");
  sub->footer("Exit codes as of chaos run.\n\n"
              "Example:\n"
              "  fantail chaos check run.jsonl");
  sub->callback([&] {
    chosen = [&] {
      return check_chaos(what.history, what.as_json);
    };
  });
}

} // namespace

void add_chaos(CLI::App& app, chaos_command& to, command& chosen) {
  auto* sub = app.add_subcommand(
      "chaos", "Breaks things on purpose and proves that nothing was lost");
  sub->require_subcommand(1);
  add_run(*sub, to.options, chosen);
  add_schedule(*sub, to.options, chosen);
  add_check(*sub, to, chosen);
}

} // namespace fantail
