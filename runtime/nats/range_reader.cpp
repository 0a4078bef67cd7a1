// SPDX-License-Identifier: MIT
#include "runtime/nats/range_reader.hpp"

#include "core/subject.hpp"
#include "runtime/nats/jetstream.hpp"
#include "runtime/nats/stream_scan.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace fantail::nats {

namespace {

/// Events asked for at once; a longer range takes several requests.
constexpr uint64_t batch_max = 2'000;

/// One range on its way.
struct job {
  position to;
  size_t bytes_max;
  std::string prefix;
  pull_builder builder;
  std::function<void(range_reader_port::result)> handler;
  /// Where the stream ended when it was asked.
  position stream_end;
  /// Set if the range begins before the stream.
  position lost_before;

  bool on_state(const stream_state& x, position from) {
    stream_end = position{x.last};
    if (x.first > from.value + 1)
      lost_before = position{x.first};
    return lost_before == position{};
  }

  bool on_message(const delivery_info& info, const message& x) {
    if (info.stream_sequence > to.value)
      return false;
    auto name = x.subject.substr(std::min(prefix.size(), x.subject.size()));
    builder.add(position{info.stream_sequence}, info.stored_at_ns, name,
                x.headers, x.body);
    if (builder.to() == to)
      return false;
    // What was left out has to be asked for again.
    if (builder.byte_count() >= bytes_max) {
      to = builder.to();
      return false;
    }
    return true;
  }

  void on_end(bool is_complete) {
    if (!is_complete || lost_before != position{}) {
      handler({nullptr, lost_before});
      return;
    }
    builder.extend(std::min(to, stream_end));
    auto now = to_ns(std::chrono::steady_clock::now());
    handler({builder.finish(now, 0), {}});
  }
};

} // namespace

range_reader::range_reader(connection& via, std::string incarnation)
    : via_(via), incarnation_(std::move(incarnation)) {
  // nop
}

void range_reader::read(shard_id shard, position from, position to,
                        size_t bytes_max, std::function<void(result)> handler) {
  auto work = std::make_shared<job>(job{to,
                                        bytes_max,
                                        subjects::shard_prefix(shard.value),
                                        pull_builder{shard, from},
                                        std::move(handler),
                                        {},
                                        {}});
  stream_scan scan;
  scan.stream = subjects::shard_stream(shard.value);
  scan.consumer = scan.stream + "_range_" + incarnation_ + "_"
                  + std::to_string(++last_job_);
  scan.behind = from.value;
  auto wanted = std::max<uint64_t>(to.value - from.value, 1);
  scan.batch = static_cast<uint32_t>(std::min(wanted, batch_max));
  scan.on_state = [work, from](const stream_state& x) {
    return work->on_state(x, from);
  };
  scan.on_message = [work](const delivery_info& info, const message& x) {
    return work->on_message(info, x);
  };
  scan.on_end = [work](bool is_complete) {
    work->on_end(is_complete);
  };
  start_scan(via_, std::move(scan));
}

} // namespace fantail::nats
