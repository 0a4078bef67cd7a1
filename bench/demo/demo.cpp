// SPDX-License-Identifier: MIT
#include "bench/demo/demo.hpp"

#include "bench/demo/http_get.hpp"
#include "bench/demo/live_view.hpp"
#include "bench/demo/replay.hpp"

#include <fmt/format.h>

#include <thread>

namespace fantail {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr int passed = 0;
constexpr int failed = 1;
constexpr int usage_error = 2;
constexpr int unreachable = 4;

constexpr auto connect_timeout = 10s;
constexpr auto register_timeout = 30s;
constexpr auto drain_timeout = 10s;
/// Time for whatever must not come, such as a repeat, to come.
constexpr auto quiet_time = 500ms;

int fail(int code, const std::string& text) {
  fmt::print(stderr, "fantail demo: {}\n", text);
  return code;
}

/// What is wrong with the options, or nothing.
std::string check(const demo_options& x) {
  if (!(x.speed > 0))
    return "the speed has to be above 0";
  if (x.instances < 1 || x.instances > 1'000)
    return "the number of instances has to be 1 to 1,000";
  if (x.scale < 1 || x.scale > 1'000)
    return "the scale has to be 1 to 1,000";
  if (!x.forever && !(x.duration_s > 0))
    return "the duration has to be above 0";
  return {};
}

double seconds_since(time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

/// One run, once server and trace are there.
class run {
public:
  run(const demo_options& options, demo::replay& played)
      : options_(options), replay_(played), view_(options.out, options.json) {
    // nop
  }

  int operator()() {
    view_.note(fmt::format("{} instances, trace {} at {:g} times its speed",
                           options_.instances, options_.trace_path,
                           options_.speed));
    if (!replay_.register_instances(register_timeout))
      return fail(unreachable, "the server answers, but no Fantail node does: "
                               "the instances could not register");
    demo::ending end;
    auto begin = clock::now();
    replay_.play();
    end.was_interrupted = !play(begin);
    end.played_s = seconds_since(begin);
    replay_.stop_playing();
    end.was_cut_short = !drain();
    replay_.finish();
    end.total = replay_.look();
    view_.show(end);
    return end.passed() ? passed : failed;
  }

private:
  bool is_stopped() const { return options_.stop && *options_.stop; }

  /// Returns false when stopped early.
  bool play(time_point begin) {
    auto next_sample = begin + 1s;
    while (!is_stopped()) {
      std::this_thread::sleep_until(std::min(next_sample, clock::now() + 50ms));
      if (clock::now() < next_sample)
        continue;
      next_sample += 1s;
      auto now = replay_.look();
      auto is_over = now.is_over
                     || (!options_.forever
                         && seconds_since(begin) >= options_.duration_s);
      show(begin, std::move(now));
      if (is_over)
        return true;
    }
    return options_.forever;
  }

  void show(time_point begin, demo::progress now) {
    auto duration_s = options_.forever ? 0 : options_.duration_s;
    auto sample
        = sampler_.take(seconds_since(begin), duration_s, std::move(now));
    if (!options_.http_url.empty())
      if (auto body
          = demo::http_get(options_.http_url + "/debug/routing-stats", 300ms))
        sample.table = demo::parse_table_size(*body);
    view_.show(sample);
  }

  /// Waits until everything expected has arrived; false after the timeout.
  bool drain() {
    for (auto until = clock::now() + drain_timeout; clock::now() < until;
         std::this_thread::sleep_for(20ms))
      if (replay_.look().is_settled) {
        std::this_thread::sleep_for(quiet_time);
        return true;
      }
    return false;
  }

  const demo_options& options_;
  demo::replay& replay_;
  demo::live_view view_;
  demo::sampler sampler_;
};

} // namespace

int run_demo(const demo_options& options) {
  if (auto problem = check(options); !problem.empty())
    return fail(usage_error, problem);
  std::string why;
  auto trace = demo::trace_reader::open(options.trace_path, why);
  if (!trace)
    return fail(failed, why);
  nats::event_loop loop{"demo"};
  nats::connect_options server;
  server.url = options.nats_url;
  server.name = "fantail demo: producers";
  nats::connection producers{loop, server};
  server.name = "fantail demo: instances";
  nats::connection instances{loop, server};
  producers.start();
  instances.start();
  if (!producers.wait_up(connect_timeout)
      || !instances.wait_up(connect_timeout))
    return fail(unreachable, "no server answers at " + options.nats_url);
  demo::replay_options play;
  play.speed = options.speed;
  play.instances = static_cast<uint16_t>(options.instances);
  play.rooms = {options.scale, options.forever};
  demo::replay played{loop, producers, instances, *trace, play};
  auto result = run{options, played}();
  if (!trace->problem().empty())
    return fail(failed, options.trace_path + ": " + trace->problem());
  return result;
}

} // namespace fantail
