// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports.hpp"
#include "core/report.hpp"
#include "core/telemetry.hpp"
#include "runtime/nats/connection.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace fantail::nats {

/// The connection for everything that is not a chat event on its way: answers,
/// log records, checkpoints, epochs, dead letters, and what instances say over
/// core NATS.
class control_link final : public control_port {
public:
  enum class word { heartbeat, ack, range };
  using word_handler
      = std::function<void(word, std::string_view instance, const message&)>;

  /// REQUIRES: what is referred to outlives the link.
  control_link(event_loop& loop, connect_options options, std::string claimant,
               report_port& reports, telemetry::node& counts);
  ~control_link() override;

  void start();
  /// Hands what instances say to `handler`, from now on, and tells `on_link`
  /// when they can be heard and when not.
  void listen(word_handler handler, std::function<void(bool)> on_link);
  /// Hands questions about presence to `handler`; the two last tokens of their
  /// subjects are what they are about. A name may be anything.
  using question_handler = std::function<void(
      bool is_watch, bool is_channel, std::string_view name, const message&)>;
  void listen_to_questions(question_handler handler);
  void stop();

  /// Remembers that `shard` is ours since `owner`.
  void own(shard_id shard, fantail::epoch owner);
  /// Asks whether the epochs of all our shards are still the newest ones, and
  /// repeats until the server answers.
  void verify_ownership(std::function<void(bool is_ours)> handler);

  connection& on() noexcept { return *connection_; }

  void answer(const std::string& reply_to, std::string_view body) override;
  void append(const std::string& subject, std::string body,
              uint64_t newest) override;
  void bury(const dead_letter& letter) override;
  void checkpoint(shard_id shard, fantail::epoch owner,
                  const std::string& created_at, position settled) override;
  void trim(const std::string& stream, position at) override;
  void republished(std::string_view source, const std::string& created_at,
                   position at) override;
  void claim_epoch(shard_id shard, fantail::epoch known,
                   std::function<void(fantail::epoch)> handler) override;

private:
  void tell_link(bool is_up);

  event_loop& loop_;
  std::string claimant_;
  report_port& reports_;
  telemetry::node& counts_;
  std::mutex mutex_;
  std::map<shard_id, fantail::epoch> owned_;
  std::function<void(bool)> on_link_;
  std::unique_ptr<connection> connection_;
};

} // namespace fantail::nats
