// SPDX-License-Identifier: MIT
#pragma once

#include "core/supervision/child_spec.hpp"
#include "core/supervision/restart_budget.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail {

/// Decides when which child of a supervisor is started, stopped and killed:
/// the rules of OTP's supervisor, with pauses before restarts. What it says is
/// carried out in order; what became of it is told to it. It knows children by
/// their index, which never changes.
///
/// Rules:
/// - Start in order, each after the previous one is up; a failure at the first
///   start is not retried: the supervisor gives up.
/// - Stop in reverse order, each after the next one is gone: told, and killed
///   once its grace is over.
/// - A child that has to be restarted takes along whom the strategy says. A
///   temporary one among those is stopped and forgotten; a transient one that
///   was done is started again. Only the child that failed spends a restart.
/// - More restarts than allowed, or a hopeless end: everything is stopped and
///   the supervisor ends with the cause. What ends while it is being stopped is
///   no failure.
///
/// `jitter` is a random number in [0, 1), drawn by the caller; it spreads the
/// pauses. Not thread safe.
class supervisor_machine {
public:
  struct action {
    enum class kind : uint8_t {
      /// Start the child and say whether it worked.
      start,
      /// Tell the child to end.
      stop,
      /// End the child without asking.
      kill,
      /// All children are gone: the supervisor ends, with `cause()` if it gave
      /// up.
      end,
    };
    kind what;
    size_t child;
  };
  using actions = std::vector<action>;

  enum class child_phase : uint8_t {
    /// Not running and not wanted.
    absent,
    /// To be started as soon as its turn has come.
    waiting,
    starting,
    running,
    /// Running; to be stopped as soon as its turn has come.
    doomed,
    stopping,
    killing,
  };

  /// What there is to know about a child.
  struct child_view {
    const child_spec* spec;
    child_phase phase;
    /// Restarts since the supervisor began, and those that count now.
    uint64_t restarts;
    size_t recent_restarts;
    /// Why it ended last, and when; empty if it never did.
    std::string_view last_cause;
    time_point last_end;
    /// What is left of the pause before the next start.
    duration pause_left;
  };

  /// REQUIRES: the ids of the children differ.
  explicit supervisor_machine(supervisor_spec spec);

  /// Begins to start the children.
  void begin(time_point now, actions& out);
  /// Stops all children and ends without a cause.
  void stop(time_point now, actions& out);

  void started(size_t child, time_point now, actions& out);
  void start_failed(size_t child, std::string cause, double jitter,
                    time_point now, actions& out);
  /// The child could not be started *yet*: tried again soon, and no failure.
  void start_deferred(size_t child, time_point now, actions& out);
  void ended(size_t child, child_end how, std::string cause, double jitter,
             time_point now, actions& out);
  /// Time passes. Call it several times per second.
  void tick(time_point now, actions& out);

  /// Takes on another child, behind all others. Once its siblings were started,
  /// a start that fails is tried again like a restart. A child of that id that
  /// is not running and not wanted is replaced. Returns nothing if there is one
  /// that is, or if the supervisor is about to end.
  std::optional<size_t> add(child_spec spec, time_point now, actions& out);

  /// Where the child of that id is, or where `add` would put it.
  size_t index_for(std::string_view id) const noexcept;

  const supervisor_spec& spec() const noexcept { return spec_; }
  size_t size() const noexcept { return children_.size(); }
  child_view view(size_t child, time_point now);
  size_t recent_restarts(time_point now) { return budget_.used(now); }
  bool is_stopping() const noexcept { return is_stopping_; }
  bool is_ended() const noexcept { return is_ended_; }
  /// All children that are wanted are running.
  bool is_steady() const noexcept;
  /// It gave up because of a child that ended so.
  bool is_hopeless() const noexcept { return is_hopeless_; }
  /// Why the supervisor gave up; empty if it did not.
  const std::string& cause() const noexcept { return cause_; }

private:
  struct child {
    child(child_spec what, const backoff_config& pause)
        : spec(std::move(what)), budget(spec.intensity), pauses(pause) {}

    child_spec spec;
    restart_budget budget;
    backoff pauses;
    child_phase phase = child_phase::absent;
    bool has_failed_lately = false;
    /// Has to go as soon as it is known to be there.
    bool is_unwanted = false;
    /// When it may be started.
    time_point due{};
    /// When it is killed.
    time_point deadline{};
    time_point started_at{};
    uint64_t restarts = 0;
    std::string last_cause;
    time_point last_end{};
  };

  void restart(size_t index, double jitter, time_point now);
  void take_along(size_t failed);
  void give_up(const std::string& cause);
  void went_down(child& x);
  duration pause_before(child& x, double jitter, time_point now);
  /// Brings forth what is to be done now.
  void advance(time_point now, actions& out);
  bool advance_stops(time_point now, actions& out);
  void advance_starts(time_point now, actions& out);

  supervisor_spec spec_;
  std::vector<child> children_;
  restart_budget budget_;
  /// Children below this have been started at least once.
  size_t begun_ = 0;
  bool is_begun_ = false;
  bool is_stopping_ = false;
  bool is_ended_ = false;
  bool is_hopeless_ = false;
  std::string cause_;
};

} // namespace fantail
