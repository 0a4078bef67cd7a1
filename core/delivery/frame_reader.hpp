// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/frame.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace fantail {

/// Bounds and delays of a frame_reader.
struct frame_reader_config {
  /// Memory of sections kept aside behind gaps, over all shards. What does not
  /// fit is dropped and asked for again later.
  size_t kept_bytes_max = 8 * 1024 * 1024;
  /// A range request without an answer is repeated after this time.
  duration range_timeout = std::chrono::seconds{2};
  /// Pause after a refused or fruitless request, as docs/PROTOCOL.md asks for.
  duration range_pause = std::chrono::milliseconds{100};
};

/// What an instance of the format `frame` keeps per shard, and what follows
/// from it: which events are new, what is missing, what to acknowledge
/// (docs/PROTOCOL.md, §5 and §6).
///
///     frames --> take --------+--> sink: events in order, losses
///     answers -> take_answer -+
///     clock ---> take_requests --> ranges to ask for
///                take_acknowledgement --> positions
///
/// However sections are dropped, repeated, delayed or cut, each event that a
/// range answer can still bring is delivered exactly once, in the order of its
/// shard. Pure and not thread safe.
///
/// Invariants, checked by `check_invariants`:
///  1. the first section kept aside of a shard begins behind its position;
///  2. `kept_bytes()` is the sum over these sections and within its bound;
///  3. a position falls only when its stream begins anew.
class frame_reader {
public:
  /// Where one shard begins; from the answer to the registration.
  struct start {
    shard_id shard;
    fantail::epoch epoch;
    position pos;
  };

  /// The events of (from, to] are wanted.
  struct range_request {
    shard_id shard;
    position from;
    position to;

    bool operator==(const range_request&) const = default;
  };

  /// Events that are gone: those of (from, to], or, when the stream began
  /// anew, those that it held behind `from`.
  struct loss {
    shard_id shard;
    position from;
    position to;
    bool restarted = false;

    bool operator==(const loss&) const = default;
  };

  struct acknowledgement {
    shard_id shard;
    position pos;

    bool operator==(const acknowledgement&) const = default;
  };

  /// Receives what comes out. It is called instead of filling a vector because
  /// the events are views into a frame or a section that is freed right after.
  class sink {
  public:
    virtual ~sink() = default;
    /// The events that follow came in this section.
    virtual void on_section(const frame::section_header&) {}
    virtual void on_event(shard_id shard, const chat_event& event) = 0;
    virtual void on_loss(const loss& gone) = 0;
  };

  /// Sums since the beginning.
  struct counters {
    uint64_t events = 0;
    /// Sections with events of which none was new.
    uint64_t repeats = 0;
    /// Times a shard went from "nothing missing" to a gap.
    uint64_t gaps = 0;
    /// Sections of a lower epoch, or of a shard that nobody announced.
    uint64_t refused = 0;
    /// Sections that did not fit aside.
    uint64_t dropped = 0;
    uint64_t requests = 0;
    uint64_t losses = 0;
    uint64_t restarts = 0;
  };

  explicit frame_reader(frame_reader_config config = {}) : config_(config) {}

  /// Begins a life: forgets everything but the counters and takes over the
  /// announced shards. Sections that come before are refused.
  void begin(std::span<const start> shards);

  /// Takes one section of a frame.
  void take(const frame::section& in, sink& out);

  /// Takes the section that answers the outstanding request of its shard.
  void take_answer(const frame::section& in, time_point now, sink& out);

  /// The range was refused for the moment, or the answer makes no sense: it
  /// will be asked for again after a pause.
  void postpone(shard_id shard, time_point now);

  /// The stream begins at `first`; what is before it is lost.
  void take_lost(shard_id shard, position first, sink& out);

  /// The ranges to ask for now, one at a time per shard. Call it after every
  /// input and every 100 ms or so.
  std::vector<range_request> take_requests(time_point now);

  /// Forgets which requests are outstanding, because the connection that
  /// carried them is gone.
  void forget_requests();

  /// The positions that moved since the last call.
  std::vector<acknowledgement> take_acknowledgement();

  /// All positions, for an acknowledgement that makes up for lost ones.
  std::vector<acknowledgement> positions() const;

  /// Where every shard stands: what a later life may begin with.
  std::vector<start> starts() const;

  /// True if `shard` waits for a range.
  bool is_behind(shard_id shard) const;

  size_t kept_bytes() const noexcept { return kept_bytes_; }
  const counters& count() const noexcept { return count_; }

  /// Returns the invariant that does not hold, or nothing.
  std::optional<std::string_view> check_invariants() const;

private:
  /// A copy of a section that outlives its frame.
  struct kept_section {
    explicit kept_section(const frame::section& in);
    /// Memory that a copy of `in` takes.
    static size_t cost_of(const frame::section& in);

    frame::section section;
    size_t cost;
    std::unique_ptr<char[]> bytes;
  };

  struct shard_state {
    fantail::epoch epoch;
    position pos;
    position acknowledged;
    /// Events are known to exist up to here.
    position known_to;
    /// A stream begins anew once per epoch, however often that is said.
    bool restart_taken = false;
    bool gap_counted = false;
    /// When the outstanding request may be repeated, or the next one sent.
    std::optional<time_point> wait_until;
    std::map<position, kept_section> kept;
  };

  shard_state* find(shard_id shard);
  bool accept_epoch(shard_state& state, const frame::section_header& in,
                    sink& out);
  void advance(shard_state& state, const frame::section& in, sink& out);
  void deliver(shard_state& state, const frame::section& in, sink& out);
  void keep(shard_state& state, const frame::section& in);
  void release_kept(shard_state& state);
  static position wanted_to(const shard_state& state);

  frame_reader_config config_;
  std::map<shard_id, shard_state> shards_;
  size_t kept_bytes_ = 0;
  counters count_;
};

} // namespace fantail
