// SPDX-License-Identifier: MIT
#include "runtime/nats/range_reader.hpp"

#include "core/subject.hpp"
#include "runtime/nats/jetstream.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace fantail::nats {

namespace {

/// Events asked for at once; a longer range takes several requests.
constexpr uint64_t batch_max = 2'000;

/// One range on its way; lives in the handlers of what it waits for.
struct job : std::enable_shared_from_this<job> {
  connection& via;
  shard_id shard;
  position from;
  position to;
  size_t bytes_max;
  std::string stream;
  std::string prefix;
  std::string consumer;
  std::string inbox;
  stream_state state;
  pull_builder builder;
  std::function<void(range_reader_port::result)> handler;

  job(connection& v, shard_id s, position f, position t, size_t bytes,
      std::string name, std::function<void(range_reader_port::result)> h)
      : via(v), shard(s), from(f), to(t), bytes_max(bytes),
        stream(subjects::shard_stream(s.value)),
        prefix(subjects::shard_prefix(s.value)), consumer(std::move(name)),
        builder(s, f), handler(std::move(h)) {}

  void start() {
    read_stream_state(via, stream,
                      [self = shared_from_this()](api_result<stream_state> x) {
                        if (auto* found = std::get_if<stream_state>(&x))
                          self->on_state(std::move(*found));
                        else
                          self->finish({});
                      });
  }

  void on_state(stream_state found) {
    state = std::move(found);
    if (state.first > from.value + 1) {
      finish({nullptr, position{state.first}});
      return;
    }
    create_consumer(via, {stream, consumer, from.value + 1},
                    [self = shared_from_this()](api_result<std::monostate> x) {
                      if (x.index() == 0)
                        self->read();
                      else
                        self->finish({});
                    });
  }

  void read() {
    inbox = via.new_inbox();
    via.subscribe(inbox, [self = shared_from_this()](const message& x) {
      self->on_message(x);
    });
    ask();
  }

  void ask() {
    auto left = std::max<uint64_t>(to.value - builder.to().value, 1);
    if (!request_available(via, stream, consumer, inbox,
                           static_cast<uint32_t>(std::min(left, batch_max))))
      finish({});
  }

  void on_message(const message& x) {
    if (!handler)
      return;
    auto info = parse_delivery(x.reply);
    if (!info) {
      on_end(x.status());
      return;
    }
    if (info->stream_sequence > to.value) {
      complete(to);
      return;
    }
    auto name = x.subject.substr(std::min(prefix.size(), x.subject.size()));
    builder.add(position{info->stream_sequence}, info->stored_at_ns, name,
                x.headers, x.body);
    if (builder.to() == to || builder.byte_count() >= bytes_max)
      complete(builder.to());
    else if (info->pending == 0)
      complete(std::min(to, position{state.last}));
    else if (++received_ % batch_max == 0)
      ask();
  }

  void on_end(std::string_view status) {
    // 404 and 408: there is nothing more; anything else is a failure.
    if (status == "404" || status == "408")
      complete(std::min(to, position{state.last}));
    else
      finish({});
  }

  void complete(position reached) {
    builder.extend(reached);
    auto now = to_ns(std::chrono::steady_clock::now());
    finish({builder.finish(now, 0), {}});
  }

  void finish(range_reader_port::result x) {
    auto answer = std::exchange(handler, nullptr);
    if (!answer)
      return;
    auto keep = shared_from_this();
    if (!inbox.empty()) {
      via.unsubscribe(inbox);
      delete_consumer(via, stream, consumer);
    }
    answer(std::move(x));
  }

private:
  uint64_t received_ = 0;
};

} // namespace

range_reader::range_reader(connection& via, std::string incarnation)
    : via_(via), incarnation_(std::move(incarnation)) {
  // nop
}

void range_reader::read(shard_id shard, position from, position to,
                        size_t bytes_max, std::function<void(result)> handler) {
  auto name = subjects::shard_stream(shard.value) + "_range_" + incarnation_
              + "_" + std::to_string(++last_job_);
  std::make_shared<job>(via_, shard, from, to, bytes_max, std::move(name),
                        std::move(handler))
      ->start();
}

} // namespace fantail::nats
