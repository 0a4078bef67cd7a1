// SPDX-License-Identifier: MIT
#include "runtime/nats/shard_writer.hpp"

#include "core/pull.hpp"
#include "core/subject.hpp"
#include "runtime/nats/jetstream.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace fantail::nats {

shard_writer::shard_writer(connect_options options,
                           std::function<std::string(uint16_t)> stream_of)
    : stream_of_(std::move(stream_of)), loop_("fantail-pool") {
  connection::handlers on;
  on.on_up = [this](uint64_t) {
    if (out_.on_link)
      out_.on_link(true);
  };
  on.on_down = [this](uint64_t, const std::string&) {
    answers_.clear();
    if (out_.on_link)
      out_.on_link(false);
  };
  on.on_read_end = [this] {
    if (!answers_.empty() && out_.on_answers)
      out_.on_answers(std::exchange(answers_, {}));
    answers_.clear();
  };
  connection_
      = std::make_unique<connection>(loop_, std::move(options), std::move(on));
  inbox_ = connection_->new_inbox();
  connection_->subscribe(inbox_ + ".*.*",
                         [this](const message& x) { on_reply(x); });
}

shard_writer::~shard_writer() {
  close();
  connection_.reset();
}

void shard_writer::on_reply(const message& x) {
  auto tokens = x.subject.substr(std::min(inbox_.size() + 1, x.subject.size()));
  answer result;
  auto* end = tokens.data() + tokens.size();
  auto dot = std::from_chars(tokens.data(), end, result.shard.value).ptr;
  if (dot == end)
    return;
  std::from_chars(dot + 1, end, result.attempt);
  auto ack = parse_publish_ack(x.body);
  result.sequence = ack.error ? 0 : ack.sequence;
  result.is_duplicate = ack.duplicate;
  answers_.push_back(result);
}

void shard_writer::attach(sink events) {
  loop_.run_and_wait([&] { out_ = std::move(events); });
  connection_->start();
}

void shard_writer::read_end(shard_id shard, uint64_t attempt) {
  read_stream_end(*connection_, stream_of_(shard.value),
                  [this, shard, attempt](api_result<stored_headers> x) {
                    if (!out_.on_end)
                      return;
                    auto* found = std::get_if<stored_headers>(&x);
                    std::optional<stream_end> end;
                    if (found)
                      end = stream_end{found->sequence,
                                       std::string{header_value(
                                           found->headers, "Nats-Msg-Id")}};
                    out_.on_end(shard, attempt, std::move(end));
                  });
}

bool shard_writer::publish(shard_id shard, uint64_t attempt,
                           std::string_view subject, std::string_view headers,
                           std::string_view body) {
  auto reply = inbox_ + "." + std::to_string(shard.value) + "."
               + std::to_string(attempt);
  return connection_->publish(subject, body, reply, headers);
}

void shard_writer::flush() {
  connection_->flush();
}

void shard_writer::close() {
  // The connection stays: its owner may still be about to publish.
  loop_.run_and_wait([this] { out_ = {}; });
}

} // namespace fantail::nats
