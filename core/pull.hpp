// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// One chat event, as views into the pull that holds its bytes. Fantail never
/// looks into `body`.
struct chat_event {
  position pos;
  /// When the server stored it: nanoseconds of the server's wall clock.
  int64_t stored_at_ns = 0;
  event_class cls = event_class::critical;
  std::string_view channel;
  /// The NATS header block as published ("NATS/1.0\r\n...\r\n\r\n"), or empty.
  std::string_view headers;
  std::string_view body;
};

/// Chat events of one shard that were fetched together, in stream order.
/// Written once by a pull_builder, then shared read-only between threads, so
/// an event's bytes are copied once on their way to any number of outboxes.
///
/// Invariants: positions rise strictly; every view lies in `bytes_`.
class pull {
public:
  shard_id shard;
  /// The pull speaks for every position in (from, to]; positions in between
  /// without an event were deleted from the stream.
  position from;
  position to;
  /// Monotonic time at which the last of its bytes were read, in ns.
  int64_t received_at_ns = 0;
  /// Events the stream held behind this pull when it was sent.
  uint64_t pending = 0;
  /// Events that were not taken in; see reject_reason.
  uint32_t rejected = 0;

  size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }

  /// Bytes of channels, headers and bodies.
  size_t byte_count() const noexcept { return bytes_.size(); }

  chat_event operator[](size_t index) const noexcept;

  /// Size of event `index` on its way to an instance: headers and body.
  size_t event_bytes(size_t index) const noexcept {
    auto& x = entries_[index];
    return size_t{x.header_size} + x.body_size;
  }

  event_class class_of(size_t index) const noexcept {
    return entries_[index].cls;
  }

  std::string_view channel_of(size_t index) const noexcept {
    auto& x = entries_[index];
    return {bytes_.data() + x.offset, x.channel_size};
  }

  int64_t stored_at_ns(size_t index) const noexcept {
    return entries_[index].stored_at_ns;
  }

private:
  friend class pull_builder;

  struct entry {
    uint64_t pos;
    int64_t stored_at_ns;
    uint32_t offset;
    uint32_t body_size;
    uint16_t header_size;
    uint8_t channel_size;
    event_class cls;
  };

  std::vector<entry> entries_;
  std::vector<char> bytes_;
};

using pull_ptr = std::shared_ptr<const pull>;

/// Why an event was not taken into a pull. Such an event is reported, sent to
/// the dead letters, and its position counts as handled.
enum class reject_reason : uint8_t {
  none = 0,
  /// The channel is not a token (core/subject.hpp).
  illegal_channel,
  /// The header block is longer than 65,535 bytes.
  headers_too_large,
  /// Body and headers exceed limits::event_bytes_max.
  event_too_large,
};

/// Collects the events of one pull. Not thread safe.
class pull_builder {
public:
  /// Starts an empty pull behind position `from`.
  pull_builder(shard_id shard, position from);

  /// Appends an event; `pos` has to lie behind every earlier one. The class
  /// is read from the header block. A rejected event only moves `to`. An event
  /// that Fantail itself has republished gets its own headers back.
  reject_reason add(position pos, int64_t stored_at_ns,
                    std::string_view channel, std::string_view headers,
                    std::string_view body);

  /// The pull speaks for everything up to `to`, though no event is there.
  void extend(position to) noexcept { pull_->to = std::max(pull_->to, to); }

  size_t size() const noexcept { return pull_->size(); }
  size_t byte_count() const noexcept { return pull_->byte_count(); }
  position to() const noexcept { return pull_->to; }
  /// True when nothing was added, not even a rejected event.
  bool untouched() const noexcept { return pull_->to == pull_->from; }

  /// Returns the finished pull and starts the next one where it ended.
  pull_ptr finish(int64_t received_at_ns, uint64_t pending);

private:
  std::shared_ptr<pull> pull_;
};

/// A republished event carries headers of Fantail's own; those of its producer
/// travel in front of its body, byte for byte.
struct wrapped_event {
  std::string headers;
  std::string body;
};

/// Wraps an event. `own_lines` are further header lines, each with its CRLF.
wrapped_event wrap_event(std::string_view headers, std::string_view body,
                         std::string_view own_lines);

/// Takes the wrapping off, if there is one.
void unwrap_event(std::string_view& headers, std::string_view& body);

/// The value of header `name` in a NATS header block, without surrounding
/// spaces; empty if absent. Names compare without case.
std::string_view header_value(std::string_view headers, std::string_view name);

/// The class an event asks for: `Fantail-Class`, else critical. An unknown
/// word counts as critical, so a typo can never cause a drop.
event_class class_from_headers(std::string_view headers);

} // namespace fantail
