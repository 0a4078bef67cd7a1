// SPDX-License-Identifier: MIT
#pragma once

#include "core/membership/member_stub.hpp"
#include "core/pull.hpp"
#include "core/snapshot/snapshot_codec.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What touches the world, as interfaces: runtime/ implements them for real,
/// tests implement them deterministically.
namespace fantail {

/// Where an egress publishes. Not owned by anybody who publishes.
class bus_port {
public:
  virtual ~bus_port() = default;
  /// Appends a message to the write buffer; false if the link is down.
  /// REQUIRES: `subject` is made of valid tokens.
  virtual bool publish(std::string_view subject, std::string_view body,
                       std::string_view headers)
      = 0;
  /// The same, asking the server to say if nobody listens. It says so before
  /// any later marker comes back; nothing is said if somebody does.
  virtual bool publish_asking(std::string_view subject, std::string_view body,
                              std::string_view headers, instance_index instance)
      = 0;
  /// Writes what is buffered as far as the link takes it, without waiting.
  virtual void flush() = 0;
  /// Bytes published and not yet written.
  virtual size_t buffered() const = 0;
  /// Publishes `number` to ourselves behind everything published so far. When
  /// it comes back, the server has all of that.
  virtual bool publish_marker(uint64_t number) = 0;
};

/// State of a log when it was opened.
struct log_state {
  /// Names one life of the stream; positions of another life mean nothing.
  std::string created_at;
  position first;
  position last;
};

/// Why a reader has nothing to read. `is_missing` = the stream is gone.
struct log_failure {
  bool is_missing = false;
  std::string text;
};

/// What ended a pull request.
enum class request_end : uint8_t {
  /// It expired, or its rest was given back.
  expired,
  /// A sign of life: the request goes on.
  heartbeat,
  /// The server did not take the request; ask again later.
  refused,
  /// The consumer is gone or skipped something; open the log again.
  broken,
};

/// A stream read as a log by one owner. Calls come from the owner, events go
/// to the sink, from any thread; `attempt` tells apart what belongs to which
/// `open`, and events of an older attempt have to be ignored.
class log_reader_port {
public:
  struct sink {
    std::function<void(uint64_t attempt, log_state)> on_opened;
    std::function<void(uint64_t attempt, log_failure)> on_failed;
    std::function<void(uint64_t attempt, pull_ptr)> on_pull;
    std::function<void(uint64_t attempt, request_end)> on_request_end;
    /// The connection came back; nothing of earlier attempts will come.
    std::function<void()> on_link_up;
    std::function<void()> on_link_down;
  };

  virtual ~log_reader_port() = default;
  /// Tells where events go. Call once, before the first `open`.
  virtual void attach(sink events) = 0;
  /// Opens the log behind `from`; answers with on_opened or on_failed.
  virtual void open(uint64_t attempt, position from) = 0;
  /// Asks for up to `events` more events.
  virtual void request(uint64_t attempt, uint32_t events) = 0;
  /// Creates the stream if it is missing; answers through the sink of a
  /// following `open`.
  virtual void restore_stream() = 0;
  /// Ends everything; no event follows. Waits for running ones.
  virtual void close() = 0;
};

/// Appends records to the streams of shards. What is published for one shard
/// arrives in that order or not at all. Calls come from the owner, events go
/// to the sink, from any thread; `attempt` comes back as it was given.
class shard_writer_port {
public:
  /// What became of a record.
  struct answer {
    shard_id shard;
    uint64_t attempt = 0;
    /// Position in the shard's stream; 0 = it was refused.
    uint64_t sequence = 0;
    /// The stream had a record with this id already.
    bool is_duplicate = false;
  };
  /// Where a shard's stream ends, and the `Nats-Msg-Id` found there.
  struct stream_end {
    uint64_t last = 0;
    std::string id;
  };
  struct sink {
    std::function<void(std::vector<answer>)> on_answers;
    /// Nothing = the server did not tell.
    std::function<void(shard_id, uint64_t attempt, std::optional<stream_end>)>
        on_end;
    /// What was published over a link that is down was lost or not.
    std::function<void(bool is_up)> on_link;
  };

  virtual ~shard_writer_port() = default;
  /// Tells where events go. Call once, before anything else.
  virtual void attach(sink events) = 0;
  virtual void read_end(shard_id shard, uint64_t attempt) = 0;
  /// False if the link is down.
  virtual bool publish(shard_id shard, uint64_t attempt,
                       std::string_view subject, std::string_view headers,
                       std::string_view body)
      = 0;
  virtual void flush() = 0;
  /// Ends everything; no event follows.
  virtual void close() = 0;
};

/// Reads one stretch of a shard's stream again.
class range_reader_port {
public:
  /// A pull for (from, to'], to' <= to; or nothing, and the first position
  /// that still exists, or 0 if the server did not answer.
  struct result {
    pull_ptr events;
    position first;
  };
  virtual ~range_reader_port() = default;
  virtual void read(shard_id shard, position from, position to,
                    size_t bytes_max, std::function<void(result)> handler)
      = 0;
};

/// Where snapshots live: a stream per shard, appended to by its owner alone.
/// Functions return at once and may be called from any thread.
class snapshot_store_port {
public:
  virtual ~snapshot_store_port() = default;
  /// Appends a part behind all that were appended before. The handler gets
  /// its sequence, or 0 if it is not known to be stored; from any thread.
  virtual void append(snapshot_source to, std::string part,
                      std::function<void(uint64_t)> handler)
      = 0;
  /// Forgets every part before `first_kept`.
  virtual void trim(snapshot_source of, uint64_t first_kept) = 0;
  /// Forgets the records of a presence log up to and with `up_to`.
  virtual void trim_log(presence_shard_id shard, position up_to) = 0;
};

/// The members stores: one append-only stream per presence shard, with one
/// writer (core/membership). Functions return at once; handlers are called on
/// some thread, once per call unless said otherwise, and never after the store
/// was stopped.
class member_store_port {
public:
  using batch_handler = std::function<void(member_batch)>;
  using read_handler
      = std::function<void(member_read_result, std::string record)>;
  /// Gets the sequence of the record, or 0 if it is unknown whether it was
  /// appended.
  using append_handler = std::function<void(uint64_t sequence)>;

  virtual ~member_store_port() = default;
  /// Hands out every record behind `behind`; calls `handler` until a batch is
  /// the last one or has failed.
  virtual void scan(presence_shard_id shard, uint64_t behind,
                    batch_handler handler)
      = 0;
  virtual void read(presence_shard_id shard, uint64_t sequence,
                    read_handler handler)
      = 0;
  /// Records are stored in the order of the calls, but for those that fail.
  virtual void append(presence_shard_id shard, const std::string& record,
                      append_handler handler)
      = 0;
  /// Removes what is before `before`. Lost if the link is down; a later call
  /// makes up for it.
  virtual void purge(presence_shard_id shard, uint64_t before) = 0;
};

/// A message nobody could accept.
struct dead_letter {
  /// Last token of `fantail.dead.{source}`.
  std::string_view source;
  std::string_view subject;
  std::string_view body;
  std::string_view reason;
  std::string_view detail;
  std::optional<position> at;
};

/// The slow side of NATS: answers, log records, durable facts. Functions
/// return at once and may be called from any thread.
class control_port {
public:
  virtual ~control_port() = default;
  /// Publishes to a reply subject; lost if the link is down, the asker
  /// repeats.
  virtual void answer(const std::string& reply_to, std::string_view body) = 0;
  /// Appends a record to a log if `newest` is still the newest position of
  /// its subject. Lost if the link is down, the caller repeats.
  virtual void append(const std::string& subject, std::string body,
                      uint64_t newest)
      = 0;
  virtual void bury(const dead_letter& letter) = 0;
  /// Remembers that `shard` is settled up to `settled`.
  virtual void checkpoint(shard_id shard, fantail::epoch owner,
                          const std::string& created_at, position settled)
      = 0;
  /// Remembers that everything up to `at` of the stream `source`, in its life
  /// `created_at`, was republished.
  virtual void republished(std::string_view source,
                           const std::string& created_at, position at)
      = 0;
  /// Lets go of everything up to `at` of a stream that is Fantail's own.
  virtual void trim(const std::string& stream, position at) = 0;
  /// Creates the next ownership epoch behind `known`, and hands it out.
  virtual void claim_epoch(shard_id shard, fantail::epoch known,
                           std::function<void(fantail::epoch)> handler)
      = 0;
};

} // namespace fantail
