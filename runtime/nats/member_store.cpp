// SPDX-License-Identifier: MIT
#include "runtime/nats/member_store.hpp"

#include "core/membership/member_record.hpp"
#include "core/subject.hpp"
#include "runtime/nats/jetstream.hpp"
#include "runtime/nats/stream_scan.hpp"

#include <optional>
#include <utility>

namespace fantail::nats {

using namespace std::chrono_literals;

namespace {

constexpr auto member_append_timeout = 5s;

/// Records handed out together.
constexpr size_t stubs_per_batch = 1'000;

/// Records asked for at once: together they stay below what a server buffers
/// for a client.
constexpr uint32_t scan_batch = 32;

member_stub stub_of(uint64_t sequence, std::string_view record) {
  member_stub result;
  result.sequence = sequence;
  result.bytes = static_cast<uint32_t>(record.size());
  if (auto header = member_record::read_header(record)) {
    result.user = header->user;
    result.version = header->version;
    result.digest = header->digest;
  }
  return result;
}

} // namespace

member_store::member_store(event_loop& loop, connect_options options,
                           std::string incarnation)
    : incarnation_(std::move(incarnation)),
      connection_(std::make_shared<connection>(loop, std::move(options))) {
  // nop
}

member_store::~member_store() = default;

void member_store::start() {
  connection_->start();
}

void member_store::stop() {
  // It closes outside of the lock: it waits for handlers.
  std::shared_ptr<connection> ended;
  std::lock_guard guard{mutex_};
  ended.swap(connection_);
}

std::shared_ptr<connection> member_store::link() {
  std::lock_guard guard{mutex_};
  return connection_;
}

void member_store::scan(presence_shard_id shard, uint64_t behind,
                        batch_handler handler) {
  stream_scan what;
  what.stream = subjects::members_stream(shard.value);
  what.consumer = what.stream + "_scan_" + incarnation_ + "_"
                  + std::to_string(++last_scan_);
  what.behind = behind;
  what.batch = scan_batch;
  auto batch = std::make_shared<member_batch>();
  what.on_state = [behind, batch](const stream_state& x) {
    batch->is_other_stream = x.last < behind;
    return x.last > behind && x.messages > 0;
  };
  what.on_message
      = [batch, handler](const delivery_info& info, const message& x) {
          batch->records.push_back(stub_of(info.stream_sequence, x.body));
          if (batch->records.size() >= stubs_per_batch)
            handler(std::exchange(*batch, {}));
          return true;
        };
  what.on_end = [batch, handler](bool is_complete) {
    batch->is_last = is_complete;
    batch->has_failed = !is_complete;
    handler(std::move(*batch));
  };
  if (auto via = link())
    start_scan(*via, std::move(what));
}

void member_store::read(presence_shard_id shard, uint64_t sequence,
                        read_handler handler) {
  auto via = link();
  if (!via)
    return;
  read_message(
      *via, subjects::members_stream(shard.value), sequence,
      [handler = std::move(handler)](api_result<std::optional<std::string>> x) {
        auto* found = std::get_if<0>(&x);
        if (!found)
          handler(member_read_result::unanswered, {});
        else if (!*found)
          handler(member_read_result::missing, {});
        else
          handler(member_read_result::found, std::move(**found));
      });
  via->flush();
}

void member_store::append(presence_shard_id shard, const std::string& record,
                          append_handler handler) {
  auto via = link();
  if (!via)
    return;
  publish_with_ack(*via, subjects::members_subject(shard.value), record, {},
                   member_append_timeout,
                   [handler = std::move(handler)](publish_ack ack) {
                     handler(ack.error ? 0 : ack.sequence);
                   });
  via->flush();
}

void member_store::purge(presence_shard_id shard, uint64_t before) {
  auto via = link();
  if (!via)
    return;
  purge_before(*via, subjects::members_stream(shard.value), before, [](auto&&) {
    // The next purge reaches farther.
  });
}

} // namespace fantail::nats
