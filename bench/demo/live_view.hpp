// SPDX-License-Identifier: MIT
#pragma once

#include "bench/demo/replay.hpp"
#include "core/json.hpp"

#include <cstdio>
#include <deque>
#include <optional>
#include <string>

namespace fantail::demo {

/// What the node tells about its table, `GET /debug/routing-stats`.
struct table_size {
  int64_t channels = 0;
  int64_t users = 0;
};

/// Reads that answer; nothing if it is none.
std::optional<table_size> parse_table_size(std::string_view body);

/// One second of a replay.
struct sample {
  double elapsed_s = 0;
  /// 0 = no end is known.
  double duration_s = 0;
  double events_per_s = 0;
  double deliveries_per_s = 0;
  /// Of the deliveries in this second.
  double p50_ms = 0;
  double p99_ms = 0;
  std::optional<table_size> table;
  progress now;
  /// Deliveries in this second, in the order of `now.instances`.
  std::vector<double> instance_rates;
};

/// Computes samples from successive progress.
class sampler {
public:
  sample take(double elapsed_s, double duration_s, progress now);

private:
  progress before_;
  double before_s_ = 0;
};

/// How a replay ended.
struct ending {
  progress total;
  double played_s = 0;
  /// Stopped by the user before the end.
  bool was_interrupted = false;
  /// Not everything arrived within the drain time.
  bool was_cut_short = false;

  /// Nothing missed, out of order, in excess, lost or refused, and something
  /// was played.
  bool passed() const;
};

// Pure texts, so that tests can read them.

/// `1234567` -> `1,234,567`.
std::string with_separators(uint64_t number);
/// One line, for a pipe.
std::string render_line(const sample& x);
/// A screen of at most 80 columns. `history` are events per second.
std::string render_screen(const sample& x, const std::deque<double>& history,
                          bool has_colours);
std::string render_verdict(const ending& x, bool has_colours);
json::value to_json(const sample& x);
json::value to_json(const ending& x);

/// Shows samples on a stream: a screen that refreshes itself on a terminal,
/// lines in a pipe, JSON lines if asked for. NO_COLOR is honoured. One thread.
class live_view {
public:
  live_view(std::FILE* out, bool wants_json);

  /// A line about what is going on; not shown with JSON.
  void note(const std::string& text);
  void show(const sample& x);
  void show(const ending& x);

private:
  void write(const std::string& text);

  std::FILE* out_;
  bool wants_json_;
  bool is_terminal_;
  bool has_colours_;
  /// Lines of the last screen, to be overwritten by the next.
  size_t lines_shown_ = 0;
  std::deque<double> history_;
};

} // namespace fantail::demo
