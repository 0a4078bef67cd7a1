// SPDX-License-Identifier: MIT
#include "core/ingest/republish_lane.hpp"

namespace fantail {

namespace {

using namespace std::chrono_literals;

/// An acknowledgement takes milliseconds. After this time it is not certain
/// any more that it will come.
constexpr duration answer_timeout = 5s;
constexpr duration retry_pause = 100ms;

} // namespace

void republish_lane::clear() {
  records_.clear();
  stored_ = added_ = position{};
  begin_again({}, {});
}

bool republish_lane::add(record x) {
  auto pos = x.pos();
  if (pos <= stored_ || pos <= added_)
    return false;
  added_ = pos;
  records_.push_back(std::move(x));
  return true;
}

bool republish_lane::wants_end(time_point now) {
  if (phase_ != phase::lost || now < not_before_)
    return false;
  phase_ = phase::asking;
  ++attempt_;
  heard_at_ = now;
  return true;
}

void republish_lane::found_end(uint64_t attempt, uint64_t last,
                               std::optional<position> newest,
                               std::vector<record>& done) {
  if (phase_ != phase::asking || attempt != attempt_)
    return;
  phase_ = phase::open;
  last_ = last;
  if (newest)
    stored_ = std::max(stored_, *newest);
  while (!records_.empty() && records_.front().pos() <= stored_) {
    done.push_back(std::move(records_.front()));
    records_.pop_front();
  }
}

void republish_lane::end_unknown(uint64_t attempt, time_point now) {
  if (phase_ == phase::asking && attempt == attempt_)
    begin_again(now, retry_pause);
}

std::optional<republish_lane::outgoing> republish_lane::next(time_point now) {
  if (phase_ != phase::open || under_way_ >= records_.size()
      || under_way_ >= limits::republish_records_max
      || bytes_under_way_ >= limits::republish_bytes_max)
    return std::nullopt;
  if (under_way_ == 0)
    heard_at_ = now;
  auto& x = records_[under_way_];
  auto after = chain_;
  if (under_way_ > 0)
    after = records_[under_way_ - 1].pos();
  outgoing result{x, last_ + under_way_, after};
  ++under_way_;
  bytes_under_way_ += x.source->event_bytes(x.event);
  return result;
}

void republish_lane::answered(const shard_writer_port::answer& x,
                              time_point now, std::vector<record>& done) {
  if (phase_ != phase::open || x.attempt != attempt_ || under_way_ == 0)
    return;
  heard_at_ = now;
  if (!x.is_duplicate && x.sequence != last_ + 1) {
    // Somebody else writes there, or the stream refuses.
    begin_again(now, retry_pause);
    return;
  }
  auto& front = records_.front();
  stored_ = front.pos();
  chain_ = stored_;
  bytes_under_way_ -= front.source->event_bytes(front.event);
  --under_way_;
  done.push_back(std::move(front));
  records_.pop_front();
  // The record was there already, behind which of the others is not known.
  if (x.is_duplicate)
    begin_again(now, {});
  else
    last_ = x.sequence;
}

void republish_lane::lost_link() {
  begin_again({}, {});
}

void republish_lane::tick(time_point now) {
  auto waits = phase_ == phase::asking || under_way_ > 0;
  if (waits && now - heard_at_ > answer_timeout)
    begin_again(now, {});
}

void republish_lane::begin_again(time_point now, duration pause) {
  phase_ = phase::lost;
  // Answers of the attempt before mean nothing from here on.
  ++attempt_;
  under_way_ = 0;
  bytes_under_way_ = 0;
  chain_.reset();
  not_before_ = now + pause;
}

bool republish_lane::check_invariants() const {
  size_t bytes = 0;
  for (size_t i = 0; i < records_.size(); ++i) {
    if (i > 0 && records_[i].pos() <= records_[i - 1].pos())
      return false;
    if (i < under_way_)
      bytes += records_[i].source->event_bytes(records_[i].event);
  }
  return under_way_ <= records_.size() && bytes == bytes_under_way_
         && (phase_ == phase::open || under_way_ == 0);
}

} // namespace fantail
