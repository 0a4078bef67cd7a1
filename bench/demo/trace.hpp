// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fantail::demo {

/// One line of data/chat-trace.csv.gz.
struct trace_row {
  enum class kind : uint8_t { message, join, leave };

  /// Since the beginning of the trace.
  int64_t at_ms = 0;
  kind what = kind::message;
  uint32_t channel = 0;
  uint32_t user = 0;
  /// Length of the message's text.
  uint32_t bytes = 0;

  bool operator==(const trace_row&) const = default;
};

/// Reads a line `t_ms,kind,ch_N,usr_N,bytes`; nothing if it is none.
std::optional<trace_row> parse_trace_row(std::string_view line);

/// Reads a trace row by row from a gzip file. Not thread safe.
class trace_reader {
public:
  /// Returns nullptr, and what is wrong in `why`, if the file cannot be read
  /// or does not begin like a trace.
  static std::unique_ptr<trace_reader> open(const std::string& path,
                                            std::string& why);
  ~trace_reader();
  trace_reader(const trace_reader&) = delete;
  trace_reader& operator=(const trace_reader&) = delete;

  /// The next row; nothing at the end, or at a `problem`.
  std::optional<trace_row> next();

  /// Starts from the first row again.
  void rewind();

  /// Why reading ended early; empty if it did not.
  const std::string& problem() const noexcept { return problem_; }

private:
  struct file;

  explicit trace_reader(std::unique_ptr<file> opened);
  bool read_line(std::string& line);

  std::unique_ptr<file> file_;
  uint64_t line_number_ = 0;
  std::string problem_;
};

/// How a trace is played.
struct playlist_options {
  /// Rooms are repeated this often, each time with new channels and users.
  uint32_t scale = 1;
  /// Play the trace again and again; otherwise it ends.
  bool forever = false;
};

/// A trace in the order in which it is to be played. Repeated rooms play at
/// the same time: copy k of room c is channel c + k * 1,000 with users
/// u + k * 100,000.
class playlist {
public:
  static constexpr uint32_t channels_per_copy = 1'000;
  static constexpr uint32_t users_per_copy = 100'000;

  playlist(trace_reader& trace, playlist_options options);

  /// The next row, whose time rises over repetitions of the trace; nothing at
  /// the end.
  std::optional<trace_row> next();

private:
  std::optional<trace_row> next_original();

  trace_reader& trace_;
  playlist_options options_;
  std::optional<trace_row> current_;
  uint32_t copy_ = 0;
  int64_t begun_at_ms_ = 0;
  int64_t last_at_ms_ = 0;
};

} // namespace fantail::demo
