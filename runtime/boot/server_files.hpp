// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What the embedded server needs from the machine before it can start.
namespace fantail {

/// A file that at most one process holds locked at a time. The lock belongs to
/// the open file: it ends when the last process that has it open ends, however
/// it ends. Source: flock(2).
class file_lock {
public:
  file_lock() = default;
  ~file_lock() { release(); }
  file_lock(file_lock&& other) noexcept : file_(other.file_) {
    other.file_ = -1;
  }
  file_lock& operator=(file_lock&& other) noexcept;

  /// Opens or creates `path` and locks it, waiting for at most `patience`.
  /// Returns what is wrong: "held" if another process has the lock.
  std::optional<std::string> take(const std::string& path, duration patience);

  void release() noexcept;

  bool is_held() const noexcept { return file_ >= 0; }
  /// The open file, or -1.
  int file() const noexcept { return file_; }

private:
  int file_ = -1;
};

/// What `take` returns when another process has the lock.
inline constexpr std::string_view lock_is_held = "held";

/// The program that `name` means: itself if it has a slash, else the first of
/// that name in PATH, /usr/sbin and /usr/local/sbin (Debian puts servers where
/// a user's PATH does not lead). Nothing if none can be executed.
std::optional<std::string> find_program(const std::string& name);

/// Bytes a store in `directory` may grow to: `wanted`, but no more than 70 %
/// of what is free or already its own. A server whose disk fills up hangs;
/// one that reaches a limit of its own refuses politely.
uint64_t store_budget(const std::string& directory, uint64_t wanted);

/// Bytes of memory streams may take: `wanted`, but no more than half of the
/// machine's memory.
uint64_t memory_budget(uint64_t wanted);

/// True if nobody listens on `port` of 127.0.0.1.
bool is_free_port(uint16_t port);

/// A port of 127.0.0.1 that nobody listens on, `preferred` (if not 0) if it is
/// free; nothing if there is none.
std::optional<uint16_t> choose_port(uint16_t preferred);

/// Makes `directory` and its parents, for the owner alone, and checks that it
/// can be written to. Returns what is wrong.
std::optional<std::string> make_directory(const std::string& directory);

/// Replaces the content of a file as a whole. Returns what is wrong.
std::optional<std::string> write_file(const std::string& path,
                                      std::string_view content);

/// At most `bytes_max` bytes from the end of a file; empty if there is none.
std::string file_tail(const std::string& path, size_t bytes_max);

} // namespace fantail
