// SPDX-License-Identifier: MIT
#include "bench/member_layouts.hpp"

#include "bench/random.hpp"
#include "core/membership/member_record.hpp"
#include "core/membership/membership.hpp"
#include "core/subject.hpp"
#include "runtime/nats/jetstream.hpp"
#include "runtime/nats/member_store.hpp"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr size_t under_way_max = 256;
constexpr size_t reads_under_way = 64;
constexpr auto stream_name = "FANTAIL_BENCH_MEMBERS";
constexpr std::string_view subject_prefix = "fantail.bench.members.";
constexpr auto publish_timeout = 30s;
constexpr size_t changed_bytes_per_user = 500;

void make_stream(test_bed& bed, nats::connection& via,
                 const nats::stream_config& config) {
  auto made = nats::wait_for<nats::stream_ensured>([&](auto handler) {
    nats::ensure_stream(via, config, std::move(handler));
  });
  bed.check_stop();
  if (auto* error = std::get_if<nats::api_error>(&made))
    throw bench_error{"stream " + config.name + ": " + error->text};
}

/// Counts what is under way, and lets one thread wait for room.
class flow {
public:
  void enter(size_t max) {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [&] { return count_ < max; });
    ++count_;
  }
  void leave(bool is_good) {
    {
      std::lock_guard guard{mutex_};
      --count_;
      failures_ += is_good ? 0 : 1;
    }
    changed_.notify_all();
  }
  /// Waits until nothing is under way; throws if something failed.
  void drain() {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [&] { return count_ == 0; });
    if (failures_ > 0)
      throw bench_error{"the server lost a message"};
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t count_ = 0;
  size_t failures_ = 0;
};

class compacted_layout final : public member_layout {
public:
  compacted_layout(test_bed& bed, uint32_t users)
      : bytes_(users), loop_("bench-members"),
        connection_(bed.connect(loop_, "fantail bench members")) {
    nats::stream_config config;
    config.name = stream_name;
    config.subjects = {std::string{subject_prefix} + "*"};
    config.messages_per_subject = 1;
    config.bytes_max = int64_t{8} << 30;
    make_stream(bed, *connection_, config);
  }

  ~compacted_layout() override {
    flow_.drain();
    connection_ = nullptr;
  }

  void update(uint32_t user, const channel_list& list) override {
    auto name = population::user_name(user);
    auto record = *member_record::encode(name, log_position{++version_}, list);
    live_ += record.size() - bytes_[user];
    bytes_[user] = static_cast<uint32_t>(record.size());
    flow_.enter(under_way_max);
    nats::publish_with_ack(
        *connection_, std::string{subject_prefix}.append(name.view()), record,
        {}, publish_timeout,
        [this](nats::publish_ack ack) { flow_.leave(!ack.error); });
    connection_->flush();
  }

  void finish() override { flow_.drain(); }

  double read(uint32_t count) override {
    auto begin = steady::now();
    fast_random random{7};
    for (uint32_t i = 0; i < count; ++i) {
      flow_.enter(reads_under_way);
      auto user = random.below(static_cast<uint32_t>(bytes_.size()));
      nats::read_last(
          *connection_, stream_name,
          std::string{subject_prefix}.append(
              population::user_name(user).view()),
          [this](auto x) {
            flow_.leave(
                std::holds_alternative<std::optional<nats::stored_message>>(x));
          });
    }
    flow_.drain();
    return std::chrono::duration<double>(steady::now() - begin).count();
  }

  uint64_t live_bytes() const override { return live_; }

private:
  std::vector<uint32_t> bytes_;
  flow flow_;
  uint64_t version_ = 0;
  uint64_t live_ = 0;
  nats::event_loop loop_;
  std::unique_ptr<nats::connection> connection_;
};

/// The machine of the node, with the node's connection, and this thread in the
/// place of the actor.
class appended_layout final : public member_layout {
public:
  appended_layout(test_bed& bed, uint32_t users)
      : users_(users), loop_("bench-members"), members_(config(users)),
        ledger_({1, 120s, 5s, steady::now()}, instances_) {
    nats::stream_config stream;
    stream.name = subjects::members_stream(home.value);
    stream.subjects = {subjects::members_subject(home.value)};
    stream.bytes_max = int64_t{8} << 30;
    stream.allow_direct = true;
    nats::connect_options options;
    options.url = bed.url();
    store_ = std::make_unique<nats::member_store>(loop_, options, "bench");
    store_->start();
    if (!store_->on().wait_up(5s))
      throw bench_error{"no connection to the nats-server of the benchmark"};
    make_stream(bed, store_->on(), stream);
    members_.replayed();
  }

  ~appended_layout() override {
    store_->stop();
    loop_.run_and_wait([] {});
  }

  void update(uint32_t user, const channel_list& list) override {
    presence_record record;
    record.version = log_position{++version_};
    record.user = population::user_name(user).view();
    record.update.op = presence_op::set;
    record.update.channels = list;
    record.update.has_channels = true;
    changes_.clear();
    auto outcome = ledger_.apply(record, steady::now(), changes_);
    members_.follow(record, outcome);
    pump();
    while (members_.is_full())
      wait();
  }

  void finish() override {
    while (under_way_ > 0)
      wait();
  }

  double read(uint32_t count) override {
    auto begin = steady::now();
    fast_random random{7};
    for (uint32_t i = 0; i < count; ++i) {
      auto name = population::user_name(random.below(users_));
      members_.want_list(ledger_.find(name)->handle);
      pump();
      while (under_way_ >= reads_under_way)
        wait();
    }
    finish();
    return std::chrono::duration<double>(steady::now() - begin).count();
  }

  uint64_t live_bytes() const override { return members_.stats().live_bytes; }

private:
  static constexpr presence_shard_id home{0};

  static membership_config config(uint32_t users) {
    membership_config result;
    // Few lists stay in memory, however few there are.
    result.changes_bytes_max
        = std::min(result.changes_bytes_max, users * changed_bytes_per_user);
    result.started = steady::now();
    return result;
  }

  void pump() {
    answer();
    members_.take_work(steady::now(), work_);
    for (auto sequence : work_.reads) {
      ++under_way_;
      store_->read(home, sequence,
                   [this, sequence](auto what, std::string record) {
                     post([this, sequence, what, record] {
                       members_.was_read(sequence, what, record, steady::now());
                     });
                   });
    }
    for (auto& x : work_.appends) {
      ++under_way_;
      store_->append(home, *x.record,
                     [this, ticket = x.ticket](uint64_t sequence) {
                       post([this, ticket, sequence] {
                         members_.appended(ticket, sequence, steady::now());
                       });
                     });
    }
    if (work_.purge_before > 0)
      store_->purge(home, work_.purge_before);
  }

  void wait() {
    {
      std::unique_lock guard{mutex_};
      changed_.wait_for(guard, 10ms, [this] { return !answers_.empty(); });
    }
    pump();
  }

  void post(std::function<void()> answer) {
    {
      std::lock_guard guard{mutex_};
      answers_.push_back(std::move(answer));
    }
    changed_.notify_all();
  }

  void answer() {
    std::vector<std::function<void()>> ready;
    {
      std::lock_guard guard{mutex_};
      ready.swap(answers_);
    }
    for (auto& x : ready)
      x();
    under_way_ -= ready.size();
  }

  uint32_t users_;
  nats::event_loop loop_;
  std::unique_ptr<nats::member_store> store_;
  instance_directory instances_;
  membership members_;
  presence_ledger ledger_;
  member_work work_;
  std::vector<routed_change> changes_;
  uint64_t version_ = 0;
  size_t under_way_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> answers_;
};

} // namespace

std::unique_ptr<member_layout> make_compacted_layout(test_bed& bed,
                                                     uint32_t users) {
  return std::make_unique<compacted_layout>(bed, users);
}

std::unique_ptr<member_layout> make_appended_layout(test_bed& bed,
                                                    uint32_t users) {
  return std::make_unique<appended_layout>(bed, users);
}

} // namespace fantail::bench
