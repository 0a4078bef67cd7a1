// SPDX-License-Identifier: MIT
#pragma once

#include "bench/floor_options.hpp"
#include "bench/latency_json.hpp"
#include "bench/test_bed.hpp"
#include "runtime/boot/server_process.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fantail::bench {

/// One side of a comparison: a program between the streams and the instances,
/// as a child process. The kernel ends it with the thread that started it.
///
/// Functions throw bench_error, with the last lines of the program's log, if it
/// does not do what it has to. One thread.
class contender {
public:
  virtual ~contender() = default;

  /// How the report calls it.
  virtual std::string_view name() const = 0;

  /// Starts it, to deliver everything behind `positions`, and returns at once.
  virtual void launch(const std::vector<uint64_t>& positions) = 0;

  /// Waits until it says that it is ready.
  virtual void wait_ready(duration timeout) = 0;

  /// Its own latency counts from here.
  virtual void begin_window() = 0;

  /// Its own latency since begin_window: from the read callback to the return
  /// of the socket write.
  virtual latency_summary latency() = 0;

  /// Ends it in an orderly way and waits.
  virtual void stop() = 0;

  /// Nothing while it does not run.
  virtual std::optional<pid_t> pid() const = 0;
};

/// A contender that counts, and tells.
class floor_contender : public contender {
public:
  /// What the floor counted since its launch (bench/floor.cpp); its latency
  /// since the last call.
  virtual json::value counts() = 0;
};

/// A node as a contender.
class node_contender : public contender {
public:
  /// What its HTTP interface answers. `target` begins with a slash.
  virtual json::value ask(const std::string& target) = 0;
};

/// `program` is the executable of Fantail, which holds the floor as well.
std::unique_ptr<floor_contender> make_floor(test_bed& bed, std::string program,
                                            floor_options options);

/// `settings` are further settings of the node, each `key=value`. Positions do
/// not concern it: it knows what it has settled.
std::unique_ptr<node_contender> make_node(test_bed& bed, std::string program,
                                          std::vector<std::string> settings
                                          = {});

} // namespace fantail::bench
