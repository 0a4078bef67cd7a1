// SPDX-License-Identifier: MIT
#include "bench/bench_context.hpp"

#include "bench/machine_facts.hpp"

namespace fantail::bench {

namespace {

const std::atomic<bool> never_stop = false;

} // namespace

bench_context::bench_context(const bench_options& options)
    : options_(options),
      format_(options.format == "single" ? delivery_format::single
                                         : delivery_format::frame),
      stop_(options.stop ? options.stop : &never_stop),
      progress_(options.progress) {
  if (options_.program.empty())
    options_.program = own_program();
}

floor_output bench_context::output() const noexcept {
  return format_ == delivery_format::single ? floor_output::single
                                            : floor_output::frame;
}

std::vector<storage_kind> bench_context::storages() const {
  if (options_.storage == "file")
    return {storage_kind::file};
  if (options_.storage == "memory")
    return {storage_kind::memory};
  return {storage_kind::memory, storage_kind::file};
}

void bench_context::check_stop() const {
  if (*stop_)
    throw interrupted{};
}

test_bed_options bench_context::bed_options(storage_kind storage) const {
  test_bed_options result;
  result.server_program = options_.server;
  result.storage = storage;
  result.stop = stop_;
  return result;
}

std::unique_ptr<contender>
bench_context::floor(test_bed& bed, const channel_placement& placement,
                     const std::string& map_path) const {
  floor_options settings;
  settings.output = output();
  settings.placement = placement;
  settings.map_path = map_path;
  settings.shards = bed.options().shards;
  return make_floor(bed, options_.program, std::move(settings));
}

std::unique_ptr<contender> bench_context::node(test_bed& bed) const {
  return make_node(bed, options_.program, options_.node_settings);
}

bench_report bench_context::report(const std::string& bench,
                                   const test_bed& bed,
                                   const channel_placement& placement) const {
  bench_report result;
  result.bench = bench;
  result.conditions = {
      {"spread", placement.spread},
      {"channels", placement.channels},
      {"instances", placement.instances},
      {"body_bytes", options_.body_bytes},
      {"format", options_.format},
      {"storage", to_string(bed.options().storage)},
      {"shards", bed.options().shards},
      {"server", bed.server_version()},
      {"pairs", options_.pairs},
  };
  if (!options_.node_settings.empty())
    result.conditions["settings"] = json::array(options_.node_settings.begin(),
                                                options_.node_settings.end());
  return result;
}

void bench_context::add_calibration(bench_report& x) {
  if (!calibration_) {
    progress_.step("calibration: what the platform gives to a bare program");
    calibration_options settings;
    settings.program = options_.program;
    settings.server = options_.server;
    settings.stop = stop_;
    if (options_.quick) {
      settings.events = 20'000;
      settings.publishes = 500;
      settings.attempts = 1;
    }
    calibration_ = calibrate(settings);
  }
  x.runs.push_back(json::object{{"calibration", to_json(*calibration_)}});
  x.remarks.push_back(calibration_->summary());
  if (auto problem = calibration_->problem())
    x.invalid_comparison.push_back(std::move(*problem));
}

} // namespace fantail::bench
