// SPDX-License-Identifier: MIT
#pragma once

#include "core/limits.hpp"
#include "runtime/boot/embedded_server.hpp"
#include "runtime/nats/connection.hpp"
#include "runtime/nats/event_loop.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace fantail::bench {

/// What makes a benchmark end without a result: the machine, the server or a
/// program under test does not do what it has to. `what` is for the user.
class bench_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The user wants to stop.
struct interrupted {};

/// Where the streams of a benchmark live.
enum class storage_kind : uint8_t { memory, file };

std::string_view to_string(storage_kind x);

struct test_bed_options {
  std::string server_program = "nats-server";
  storage_kind storage = storage_kind::memory;
  uint16_t shards = limits::shards_default;
  uint16_t presence_shards = limits::presence_shards_default;
  /// Ends every wait for the server or a program with `interrupted`.
  const std::atomic<bool>* stop = nullptr;
};

/// A directory that vanishes with its owner.
class scratch_directory {
public:
  explicit scratch_directory(const std::string& prefix);
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

/// A connection on `loop` that is up; throws bench_error after a while.
std::unique_ptr<nats::connection> connect_to(nats::event_loop& loop,
                                             const std::string& url,
                                             const std::string& name);

/// A nats-server of its own with the streams of chat events and of presence as
/// a node makes them, empty, and a connection to look after them: the ground
/// both sides of a comparison stand on. It belongs to the process of the
/// benchmark, so that a router and its floor can take turns. Functions wait for
/// the server and throw bench_error; never call them on a loop's thread.
class test_bed {
public:
  explicit test_bed(test_bed_options options);
  ~test_bed();
  test_bed(const test_bed&) = delete;
  test_bed& operator=(const test_bed&) = delete;

  std::string url() const { return server_->url(); }
  std::optional<pid_t> server_pid() const { return server_->pid(); }
  std::string server_version() const { return server_->version(); }
  const test_bed_options& options() const noexcept { return options_; }
  /// The user wants to stop.
  bool is_stopped() const { return options_.stop && *options_.stop; }
  /// Throws interrupted if so.
  void check_stop() const {
    if (is_stopped())
      throw interrupted{};
  }
  /// For the state of the programs under test.
  const std::string& directory() const noexcept { return directory_.path(); }

  /// A further connection, on `loop`, that is up.
  std::unique_ptr<nats::connection> connect(nats::event_loop& loop,
                                            const std::string& name) const;

  /// Per shard: the position of the newest chat event.
  std::vector<uint64_t> heads();

  /// Forgets the chat events, but no position. Only for streams whose readers
  /// have settled everything, else those see a loss.
  void forget_events();

  /// Creates a consumer `<name>_<shard>` per shard that begins behind
  /// `positions`.
  void create_consumers(const std::string& name,
                        const std::vector<uint64_t>& positions);
  void delete_consumers(const std::string& name);

private:
  void create_streams();

  test_bed_options options_;
  scratch_directory directory_;
  std::unique_ptr<embedded_server> server_;
  nats::event_loop loop_;
  std::unique_ptr<nats::connection> control_;
};

} // namespace fantail::bench
