// SPDX-License-Identifier: MIT
#include "runtime/nats/control_link.hpp"

#include "core/subject.hpp"
#include "runtime/nats/jetstream.hpp"
#include "runtime/nats/ownership.hpp"

#include <algorithm>
#include <utility>

namespace fantail::nats {

using namespace std::chrono_literals;

namespace {

/// Enough of an offending message to recognise it.
constexpr size_t dead_body_max = 64 * 1024;
constexpr size_t dead_detail_max = 512;
constexpr auto append_timeout = 2s;
constexpr auto claim_pause = 200ms;

/// A header value must not begin a line of its own.
std::string header_text(std::string_view text) {
  std::string result{text.substr(0, dead_detail_max)};
  std::replace_if(
      result.begin(), result.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return result;
}

std::string header_line(std::string_view name, std::string_view value) {
  return std::string{name} + ": " + header_text(value) + "\r\n";
}

} // namespace

control_link::control_link(event_loop& loop, connect_options options,
                           std::string claimant, report_port& reports,
                           telemetry::node& counts)
    : loop_(loop), claimant_(std::move(claimant)), reports_(reports),
      counts_(counts) {
  connection::handlers on;
  on.on_up = [this](uint64_t life) {
    if (life > 1)
      reports_.info("control", "nats-connected");
    tell_link(true);
  };
  on.on_down = [this](uint64_t life, const std::string& reason) {
    counts_.events.add("control/disconnected");
    if (life > 0)
      reports_.warn("control", "nats-disconnected", {{"reason", reason}});
    tell_link(false);
  };
  connection_
      = std::make_unique<connection>(loop_, std::move(options), std::move(on));
}

control_link::~control_link() = default;

void control_link::start() {
  connection_->start();
}

void control_link::tell_link(bool is_up) {
  std::function<void(bool)> tell;
  {
    std::lock_guard guard{mutex_};
    tell = on_link_;
  }
  if (tell)
    tell(is_up);
}

void control_link::listen(word_handler handler,
                          std::function<void(bool)> on_link) {
  {
    std::lock_guard guard{mutex_};
    on_link_ = std::move(on_link);
  }
  auto shared = std::make_shared<word_handler>(std::move(handler));
  auto subscribe = [&](std::string_view prefix, word what) {
    connection_->subscribe(std::string{prefix} + "*",
                           [this, shared, what](const message& x) {
                             auto instance = last_token(x.subject);
                             if (is_token(instance))
                               (*shared)(what, instance, x);
                             else
                               counts_.rejected.add("instance/illegal_token");
                           });
  };
  subscribe(subjects::instance_heartbeat, word::heartbeat);
  subscribe(subjects::instance_ack, word::ack);
  subscribe(subjects::instance_range, word::range);
}

void control_link::listen_to_questions(question_handler handler) {
  auto shared = std::make_shared<question_handler>(std::move(handler));
  for (auto prefix : {subjects::presence_query, subjects::presence_watch})
    for (auto is_channel : {false, true})
      connection_->subscribe(
          std::string{prefix} + (is_channel ? "channel.*" : "user.*"),
          [shared, is_watch = prefix == subjects::presence_watch,
           is_channel](const message& x) {
            (*shared)(is_watch, is_channel, last_token(x.subject), x);
          });
}

void control_link::stop() {
  connection_.reset();
  // The handler holds an actor.
  on_link_ = {};
}

void control_link::own(shard_id shard, fantail::epoch owner) {
  std::lock_guard guard{mutex_};
  owned_[shard] = owner;
}

namespace {

/// Answers of one round of questions, one for each shard.
struct ownership_round {
  size_t missing;
  bool is_ours = true;
  bool has_failed = false;
};

} // namespace

void control_link::verify_ownership(std::function<void(bool)> handler) {
  std::map<shard_id, fantail::epoch> asked;
  {
    std::lock_guard guard{mutex_};
    asked = owned_;
  }
  // All answers come on the loop's thread.
  auto round = std::make_shared<ownership_round>();
  round->missing = asked.size();
  for (auto [shard, owner] : asked)
    is_still_owner(
        *connection_, shard, owner, [this, round, handler](api_result<bool> x) {
          if (auto* is_ours = std::get_if<bool>(&x))
            round->is_ours = round->is_ours && *is_ours;
          else
            round->has_failed = true;
          if (--round->missing > 0)
            return;
          if (!round->has_failed || !round->is_ours)
            handler(round->is_ours);
          else
            loop_.after(claim_pause,
                        [this, handler] { verify_ownership(handler); });
        });
}

void control_link::answer(const std::string& reply_to, std::string_view body) {
  connection_->publish(reply_to, body);
  connection_->flush();
}

void control_link::append(const std::string& subject, std::string body,
                          uint64_t newest) {
  auto headers = "NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: "
                 + std::to_string(newest) + "\r\n\r\n";
  publish_with_ack(*connection_, subject, body, headers, append_timeout,
                   [this](publish_ack ack) {
                     // A newer record is in the log: then it decides.
                     if (ack.error
                         && ack.error->code != api_code::wrong_last_sequence)
                       counts_.events.add("control/append-failed");
                   });
}

void control_link::bury(const dead_letter& letter) {
  std::string name{letter.source};
  name.append("/").append(letter.reason);
  counts_.rejected.add(name);
  reports_.warn(letter.source, "message-refused",
                {{"reason", std::string{letter.reason}},
                 {"subject", header_text(letter.subject)},
                 {"detail", header_text(letter.detail)}});
  auto headers = "NATS/1.0\r\n" + header_line("Fantail-Reason", letter.reason)
                 + header_line("Fantail-Detail", letter.detail)
                 + header_line("Fantail-Subject", letter.subject);
  if (letter.at)
    headers
        += header_line("Fantail-Position", std::to_string(letter.at->value));
  headers += "\r\n";
  std::string subject{subjects::dead};
  subject.append(letter.source);
  connection_->publish(subject, letter.body.substr(0, dead_body_max), {},
                       headers);
  connection_->flush();
}

void control_link::checkpoint(shard_id shard, fantail::epoch owner,
                              const std::string& created_at, position settled) {
  write_checkpoint(*connection_, shard, {owner, settled, created_at});
}

void control_link::trim(const std::string& stream, position at) {
  purge_before(*connection_, stream, at.value + 1, [](auto&&) {
    // The next call makes up for one that failed.
  });
}

void control_link::republished(std::string_view source,
                               const std::string& created_at, position at) {
  write_source_checkpoint(*connection_, source, {at, created_at});
}

void control_link::claim_epoch(shard_id shard, fantail::epoch known,
                               std::function<void(fantail::epoch)> handler) {
  nats::claim_epoch(
      *connection_, shard, known, claimant_,
      [this, shard, known, handler](api_result<fantail::epoch> x) {
        if (auto* claimed = std::get_if<fantail::epoch>(&x)) {
          handler(*claimed);
          return;
        }
        // Without an owner the shard stands still, so this has to succeed.
        reports_.warn("control", "epoch-not-claimed",
                      {{"shard", std::to_string(shard.value)},
                       {"reason", std::get<api_error>(x).text}});
        claim_epoch(shard, known, handler);
      });
}

} // namespace fantail::nats
