// SPDX-License-Identifier: MIT
#include "app/chaos_command.hpp"
#include "app/commands.hpp"
#include "app/console_commands.hpp"
#include "bench/floor.hpp"
#include "console/text.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>
#include <string>

namespace fantail {

namespace {

void add_overrides(CLI::App& to, std::vector<std::string>& overrides,
                   const std::string& what) {
  to.add_option("--set", overrides,
                what + ", e.g. --set http.port=7481; repeatable")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
}

void add_config_options(CLI::App& to, config_source& source) {
  to.add_option("-c,--config", source.file,
                "Configuration file [./caf-application.conf if it exists]")
      ->check(CLI::ExistingFile);
  add_overrides(to, source.overrides, "Overrides one key");
}

void add_node(CLI::App& app, config_source& source, command& chosen) {
  auto* sub = app.add_subcommand("node", "Runs a node until it is stopped");
  add_config_options(*sub, source);
  sub->footer("Without nats.url the node starts a private nats-server and keeps"
              "\nits data in node.state-directory.\n\n"
              "Examples:\n"
              "  fantail node\n"
              "  fantail node --set nats.url=nats://127.0.0.1:4222\n"
              "  fantail node -c caf-application.conf --set log.format=json\n"
              "  curl http://127.0.0.1:7480/ready");
  sub->callback([&] {
    chosen = [&source] {
      return command_node(source);
    };
  });
}

void add_demo(CLI::App& app, config_source& source, demo_options& options,
              command& chosen) {
  auto* sub = app.add_subcommand(
      "demo", "Replays a real chat trace and checks every delivery");
  auto* url
      = sub->add_option("--nats-url", options.nats_url,
                        "Server of a running node [starts one of its own]");
  sub->add_option("--http-url", options.http_url,
                  "HTTP address of that node, for the size of its table");
  sub->add_option("--trace", options.trace_path, "The trace, gzipped CSV")
      ->capture_default_str();
  sub->add_option("--speed", options.speed, "Seconds of the trace per second")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  sub->add_option("--instances", options.instances,
                  "Instances, frame and single in turn")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  sub->add_option("--scale", options.scale,
                  "Plays the rooms this often at once, under new names")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  sub->add_option("--duration", options.duration_s, "Seconds to play")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  sub->add_flag("--forever", options.forever, "Plays until it is stopped");
  sub->add_flag("--json", options.json, "One JSON object per line");
  add_config_options(*sub, source);
  sub->footer("Ends with 0 only if nothing was missed, out of order or in "
              "excess.\n\n"
              "Examples:\n"
              "  fantail demo\n"
              "  fantail demo --duration 10 --scale 4 --instances 40\n"
              "  fantail demo --nats-url nats://127.0.0.1:4222 --json");
  sub->callback([&, url] {
    auto is_own = url->count() == 0;
    chosen = [&, is_own] {
      return command_demo(options, source, is_own);
    };
  });
}

void add_bench(CLI::App& app, bench_options& options, command& chosen) {
  auto* sub = app.add_subcommand(
      "bench", "Measures Fantail against a bare program in the same run");
  sub->add_option("what", options.bench, "One of them, or all of them: all")
      ->capture_default_str()
      ->check(CLI::IsMember(bench_names()));
  sub->add_option("--format", options.format, "frame or single")
      ->capture_default_str()
      ->check(CLI::IsMember({"frame", "single"}));
  sub->add_option("--storage", options.storage, "memory, file or both")
      ->capture_default_str()
      ->check(CLI::IsMember({"memory", "file", "both"}));
  sub->add_option("--events", options.events,
                  "Events that drain or wide store");
  sub->add_option("--rate", options.rate, "Events per second");
  sub->add_option("--duration", options.duration_s, "Seconds per side");
  sub->add_option("--body-bytes", options.body_bytes, "Bytes of a body")
      ->capture_default_str();
  sub->add_option("--spread", options.spread, "Instances a channel reaches")
      ->capture_default_str();
  sub->add_option("--pairs", options.pairs, "Pairs of floor and Fantail")
      ->capture_default_str();
  sub->add_option("--scale", options.scale, "Size of the tables, 1 = target")
      ->capture_default_str();
  sub->add_flag("--stress", options.stress,
                "Table: 500,000 users x 400 of 2,000,000 channels");
  sub->add_option("--kill-every", options.kill_every_s,
                  "churn: mean seconds between kills of node and server");
  sub->add_flag("--quick", options.quick, "Tiny sizes: does everything work?");
  sub->add_option("--json", options.json_path, "Writes all measurements here");
  sub->add_option("--server", options.server, "The nats-server")
      ->capture_default_str();
  add_overrides(*sub, options.node_settings, "Overrides one key of the nodes");
  sub->footer("Exit codes: 0 targets met, 99 missed, 97 a figure is invalid.\n"
              "\nExamples:\n"
              "  fantail bench all\n"
              "  fantail bench drain --pairs 1 --storage memory\n"
              "  fantail bench steady --scale 0.1 --json steady.json\n"
              "  fantail bench drain --set egress.connections=2");
  sub->callback([&] {
    if (!chosen)
      chosen = [&] {
        options.stop = &stop_requested();
        return run_bench(options);
      };
  });
  // The bare program runs as a process of its own, like a node.
  auto* bare = sub->add_subcommand("floor", "");
  bare->group("");
  bare->allow_extras();
  bare->callback([bare, &chosen] {
    chosen = [words = bare->remaining()] {
      return bench::run_floor(words);
    };
  });
}

void add_config(CLI::App& app, config_source& source, bool& as_table,
                command& chosen) {
  auto* sub = app.add_subcommand("config", "Checks or shows the configuration");
  sub->require_subcommand(1);
  auto* check = sub->add_subcommand("check", "Says what is wrong, if anything");
  add_config_options(*check, source);
  check->footer("Example:\n  fantail config check -c caf-application.conf");
  check->callback([&] {
    chosen = [&source] {
      return command_config_check(source);
    };
  });
  auto* show = sub->add_subcommand("show", "Prints every key in force");
  add_config_options(*show, source);
  show->add_flag("--table", as_table, "The keys as a Markdown table");
  show->footer("Example:\n  fantail config show --set cluster.shards=16");
  show->callback([&] {
    chosen = [&] {
      return command_config_show(source, as_table);
    };
  });
}

int run(int argc, char** argv) {
  CLI::App app{"Fantail routes chat events to the instances whose users are in "
               "the channel."};
  app.name("fantail");
  app.require_subcommand(1);
  app.footer("Each command has a --help of its own. Documentation: README.md, "
             "docs/.");
  command chosen;
  config_source source;
  demo_options demo;
  bench_options bench;
  console_words words;
  chaos_command chaos;
  bool as_table = false;
  bool as_json = false;
  add_node(app, source, chosen);
  add_demo(app, source, demo, chosen);
  add_bench(app, bench, chosen);
  add_chaos(app, chaos, chosen);
  add_config(app, source, as_table, chosen);
  add_console_commands(app, words, chosen);
  auto* version = app.add_subcommand("version", "Prints the version");
  version->add_flag("--json", as_json, "As JSON");
  version->footer("Example:\n  fantail version --json");
  version->callback([&] {
    chosen = [&as_json] {
      return command_version(as_json);
    };
  });
  // The parser would only say that a command is missing.
  auto is_known = [&](CLI::App* x) {
    return x->check_name(argv[1]);
  };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_known).empty()) {
    std::fprintf(stderr,
                 "fantail: there is no command \"%s\"; fantail --help lists "
                 "them\n",
                 console::printable(argv[1]).c_str());
    return exit_usage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_ok : exit_usage;
  }
  stop_on_signals();
  return chosen();
}

} // namespace

} // namespace fantail

int main(int argc, char** argv) {
  return fantail::run(argc, argv);
}
