// SPDX-License-Identifier: MIT
#include "bench/slow_reader.hpp"

#include "bench/population.hpp"
#include "core/hash.hpp"

namespace fantail::bench {

slow_reader::slow_reader(const test_bed& bed, uint16_t instance,
                         duration timeout)
    : newest_(bed.options().shards), loop_("bench-slow") {
  connection_ = bed.connect(loop_, "fantail bench slow reader");
  client::instance_options options;
  options.name = population::instance_name(instance).view();
  client::instance::handlers on;
  on.on_event = [this](const chat_event& x) {
    auto shard = shard_of(x.channel, static_cast<uint16_t>(newest_.size()));
    auto& newest = newest_[shard.value];
    faults_ += x.pos <= newest ? 1 : 0;
    newest = std::max(newest, x.pos);
    ++events_;
  };
  on.on_loss = [this](const frame_reader::loss& gone) {
    losses_ += gone.to.value - gone.from.value;
  };
  self_ = std::make_unique<client::instance>(loop_, *connection_,
                                             std::move(options), std::move(on));
  self_->start();
  if (!self_->wait_registered(timeout))
    throw bench_error{"the slow instance was not registered"};
}

slow_reader::~slow_reader() {
  resume();
  self_ = nullptr;
  connection_ = nullptr;
}

void slow_reader::stop_reading() {
  {
    std::lock_guard guard{mutex_};
    is_stopped_ = true;
  }
  loop_.post([this] { hold(); });
}

void slow_reader::hold() {
  std::unique_lock guard{mutex_};
  changed_.wait(guard, [this] { return !is_stopped_; });
}

void slow_reader::resume() {
  {
    std::lock_guard guard{mutex_};
    is_stopped_ = false;
  }
  changed_.notify_all();
}

} // namespace fantail::bench
