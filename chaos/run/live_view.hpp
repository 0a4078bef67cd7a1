// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"
#include "chaos/run/recorder.hpp"

#include <string>

namespace fantail::chaos {

/// Shows on stderr how a run is going: a line for each fault, and below them,
/// on a terminal, one that says where things are and is written over. Elsewhere
/// that one comes every 10 s. One thread.
class live_view {
public:
  explicit live_view(duration length);
  ~live_view();
  live_view(const live_view&) = delete;
  live_view& operator=(const live_view&) = delete;

  /// A phase of the run, such as "starting".
  void phase(const std::string& what);

  /// The time of the run counts from now.
  void begin();
  duration elapsed() const;

  /// What is being broken at the moment, or nothing.
  void breaking(std::string what) { breaking_ = std::move(what); }
  void broken(const fault_marked& x, duration since);

  /// True if it is time to show things anew.
  bool is_due() const;
  void show(const recorder::glance& seen);

private:
  void stay(const std::string& line);
  void clear();

  const duration length_;
  const bool is_terminal_;
  const bool has_color_;
  bool has_status_ = false;
  bool has_told_violation_ = false;
  time_point begun_{};
  time_point shown_at_{};
  uint64_t published_ = 0;
  std::string phase_;
  std::string breaking_;
};

} // namespace fantail::chaos
