// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace fantail::bench {

/// What a result depends on besides the program: no figure without these.
struct machine_facts {
  unsigned cores = 0;
  std::string processor;
  std::string kernel;
  uint64_t memory_bytes = 0;
  /// "optimized", "not optimized", and sanitizers if there are any.
  std::string build;
  /// Of the checkout the executable lies in, or empty.
  std::string commit;
};

machine_facts read_machine_facts();

/// One line for people.
std::string to_string(const machine_facts& x);
json::value to_json(const machine_facts& x);

/// What a process has taken so far; zeros if it is gone, or none.
struct process_usage {
  double cpu_seconds = 0;
  uint64_t resident_bytes = 0;
};

process_usage usage_of(std::optional<pid_t> process);

/// The executable of this process.
std::string own_program();

} // namespace fantail::bench
