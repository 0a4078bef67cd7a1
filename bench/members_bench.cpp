// SPDX-License-Identifier: MIT
#include "bench/members_bench.hpp"

#include "bench/machine_facts.hpp"
#include "bench/member_layouts.hpp"
#include "bench/random.hpp"
#include "bench/server_sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr uint32_t users_full = 20'000;
constexpr uint32_t channels_per_user = 1'000;
constexpr unsigned rounds = 4;
/// The server gives back what it does not use any more after some seconds.
constexpr auto settle_time = 5s;
constexpr double disk_ratio_max = 2.3;

/// What one layout came to.
struct layout_result {
  uint64_t live_bytes = 0;
  server_sample loaded;
  server_sample updated;
  server_sample read;
  double updates_per_second = 0;
  double reads_per_second = 0;
  uint64_t resident_max = 0;
};

class layout_run {
public:
  layout_run(bench_context& context, uint32_t users, std::string name)
      : context_(context), users_(users), name_(std::move(name)),
        bed_(context.bed_options(storage_kind::file)) {}

  template <class Make>
  layout_result run(Make make) {
    auto layout = make(bed_, users_);
    layout_result result;
    update_all(*layout, result);
    layout->finish();
    result.loaded = sample(result);
    auto begin = steady::now();
    for (unsigned round = 1; round <= rounds; ++round)
      update_random(*layout, round, result);
    layout->finish();
    auto seconds = std::chrono::duration<double>(steady::now() - begin).count();
    result.updates_per_second = users_ * rounds / seconds;
    std::this_thread::sleep_for(context_.options().quick ? 0s : settle_time);
    result.updated = sample(result);
    auto reads = std::min<uint32_t>(users_, 4'000);
    result.reads_per_second = reads / layout->read(reads);
    result.read = sample(result);
    result.live_bytes = layout->live_bytes();
    return result;
  }

private:
  void update_all(member_layout& layout, layout_result& result) {
    for (uint32_t user = 0; user < users_; ++user)
      update(layout, user, 0, result);
  }

  void update_random(member_layout& layout, unsigned round,
                     layout_result& result) {
    for (uint32_t i = 0; i < users_; ++i)
      update(layout, random_.below(users_), round, result);
  }

  void update(member_layout& layout, uint32_t user, unsigned round,
              layout_result& result) {
    world_.channels_of(user + round * users_, channels_);
    layout.update(user, population::channel_names(channels_));
    if (++done_ % 500 != 0)
      return;
    context_.check_stop();
    auto now = sample(result);
    context_.progress().detail(fmt::format("{}: {} updates, disk {} MiB", name_,
                                           done_, now.disk_bytes >> 20));
  }

  server_sample sample(layout_result& result) {
    auto now = sample_server(bed_);
    result.resident_max = std::max(result.resident_max, now.resident_bytes);
    return now;
  }

  static population_config world_of(uint32_t users) {
    population_config result;
    result.users = users * (rounds + 1);
    result.channels_per_user = channels_per_user;
    return result;
  }

  bench_context& context_;
  uint32_t users_;
  std::string name_;
  test_bed bed_;
  population world_{world_of(users_)};
  fast_random random_{1};
  std::vector<uint32_t> channels_;
  uint64_t done_ = 0;
};

double mebibytes(uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

void add(bench_report& to, const std::string& layout, const layout_result& x,
         bool is_ours) {
  using kind = target::kind;
  auto row = [&](const std::string& what, double figure, int decimals = 0,
                 std::optional<target> goal = {}) {
    to.findings.push_back(
        {to.bench, what + ", " + layout, std::nullopt, figure, goal, decimals});
  };
  auto live = static_cast<double>(x.live_bytes);
  row("live MiB", mebibytes(x.live_bytes));
  row("disk MiB, loaded", mebibytes(x.loaded.disk_bytes));
  row("disk MiB, after random updates", mebibytes(x.updated.disk_bytes));
  row("disk / live bytes", static_cast<double>(x.updated.disk_bytes) / live, 2,
      is_ours ? std::optional{target{kind::at_most, disk_ratio_max}}
              : std::nullopt);
  row("server RSS MiB, loaded", mebibytes(x.loaded.resident_bytes));
  row("server RSS MiB, after random updates",
      mebibytes(x.updated.resident_bytes));
  row("server RSS MiB, after random reads", mebibytes(x.read.resident_bytes));
  row("server RSS MiB, at most", mebibytes(x.resident_max));
  row("random updates/s", x.updates_per_second);
  row("random reads/s", x.reads_per_second);
}

} // namespace

bench_report run_members_bench(bench_context& context) {
  auto& options = context.options();
  auto factor = options.quick ? 0.02 : options.scale;
  auto users = std::max(1u, static_cast<uint32_t>(users_full * factor));
  bench_report report;
  report.bench = "members";
  report.conditions = {{"users", users},
                       {"channels_per_user", channels_per_user},
                       {"updates", users * rounds}};
  context.progress().step("members: compacted stream");
  auto compacted
      = layout_run{context, users, "compacted"}.run(make_compacted_layout);
  context.progress().step("members: members store");
  auto appended
      = layout_run{context, users, "members store"}.run(make_appended_layout);
  add(report, "members store", appended, !options.quick);
  add(report, "compacted stream", compacted, false);
  return report;
}

} // namespace fantail::bench
