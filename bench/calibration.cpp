// SPDX-License-Identifier: MIT
#include "bench/calibration.hpp"

#include "bench/contender.hpp"
#include "bench/load_generator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr size_t message_bytes = 32 * 1024;
constexpr size_t subscribers = 5;
constexpr size_t unwritten_bytes_max = 1024 * 1024;
constexpr uint32_t channels = 100'000;
constexpr auto patience = 60s;

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

/// The floor without any output: nothing but pulls.
double measure_pull(test_bed& bed, const calibration_options& options,
                    const std::vector<uint64_t>& heads) {
  floor_options settings;
  settings.output = floor_output::discard;
  settings.placement.channels = channels;
  auto floor = make_floor(bed, options.program, settings);
  floor->launch(heads);
  floor->wait_ready(10s);
  auto deadline = steady::now() + patience;
  while (true) {
    bed.check_stop();
    std::this_thread::sleep_for(200ms);
    auto counts = floor->counts();
    auto events = static_cast<double>(counts.int_or("events", 0));
    auto span_ns = static_cast<double>(counts.int_or("last_read_ns", 0)
                                       - counts.int_or("first_read_ns", 0));
    if (events >= static_cast<double>(options.events)) {
      floor->stop();
      return events / (span_ns / 1e9);
    }
    if (steady::now() > deadline)
      throw bench_error{"the server does not hand out what it stored"};
  }
}

double measure_publish(test_bed& bed, const calibration_options& options) {
  nats::event_loop receive_loop{"bench-receive"};
  nats::event_loop send_loop{"bench-load"};
  std::atomic<uint64_t> received = 0;
  std::vector<std::unique_ptr<nats::connection>> subscribed;
  for (size_t i = 0; i < subscribers; ++i) {
    subscribed.push_back(bed.connect(receive_loop, "fantail bench"));
    subscribed.back()->subscribe("bench.copy", [&](const nats::message&) {
      received.fetch_add(1, std::memory_order_relaxed);
    });
    // The answer to a request comes behind the subscription.
    subscribed.back()->request_wait("$JS.API.INFO", "", 5s);
  }
  auto sender = bed.connect(send_loop, "fantail bench");
  std::string body(message_bytes, 'x');
  auto total = options.publishes * subscribers;
  auto start = steady::now();
  for (uint64_t i = 0; i < options.publishes; ++i) {
    sender->publish("bench.copy", body);
    sender->flush();
    while (sender->buffered() > unwritten_bytes_max)
      std::this_thread::sleep_for(50us);
  }
  while (received < total) {
    if (seconds_since(start) > std::chrono::duration<double>(patience).count())
      throw bench_error{"subscribers do not receive what was published"};
    std::this_thread::sleep_for(100us);
  }
  auto bytes = static_cast<double>(total) * message_bytes;
  return bytes / 1e6 / seconds_since(start);
}

} // namespace

std::string calibration::summary() const {
  return fmt::format("the platform: pulls {:.0f}/s ({:.2f} of the reference), "
                     "core publish {:.0f} MB/s ({:.2f} of it)",
                     pull_rate, pull_rate / pull_rate_reference, publish_rate,
                     publish_rate / publish_rate_reference);
}

std::optional<std::string> calibration::problem() const {
  if (pull_rate >= share_min * pull_rate_reference
      && publish_rate >= share_min * publish_rate_reference)
    return std::nullopt;
  return fmt::format("this machine is slower than the floor's reference: both "
                     "figures of the platform have to reach {:g} of it",
                     share_min);
}

json::value to_json(const calibration& x) {
  return json::object{
      {"pull_events_per_second", x.pull_rate},
      {"pull_reference", calibration::pull_rate_reference},
      {"publish_megabytes_per_second", x.publish_rate},
      {"publish_reference", calibration::publish_rate_reference},
      {"share_needed", calibration::share_min},
  };
}

calibration calibrate(const calibration_options& options) {
  test_bed_options bed_options;
  bed_options.server_program = options.server;
  bed_options.stop = options.stop;
  test_bed bed{bed_options};
  auto heads = bed.heads();
  load_options load;
  load.channels = channels;
  load_generator{bed, load}.store(options.events);
  calibration result;
  for (unsigned i = 0; i < options.attempts; ++i) {
    result.pull_rate
        = std::max(result.pull_rate, measure_pull(bed, options, heads));
    result.publish_rate
        = std::max(result.publish_rate, measure_publish(bed, options));
  }
  return result;
}

} // namespace fantail::bench
