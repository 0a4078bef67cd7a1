// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/checker/checker.hpp"
#include "chaos/history/history_writer.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fantail::chaos {

/// Takes the records of a run from any thread, in one order, and hands them
/// to the checker and, if there is one, to the file, on a thread of its own.
class recorder {
public:
  /// What can be seen while it runs.
  struct glance {
    uint64_t published = 0;
    uint64_t deliveries = 0;
    /// Stored events that have not come everywhere, and records not judged.
    uint64_t lag = 0;
    uint64_t violations = 0;
    bool awaits_recovery = false;
    /// Empty if there was none.
    std::string first_violation = {};
  };

  recorder(checker_config config, std::unique_ptr<history_writer> file);
  ~recorder();
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  /// Notes `x` with the time of now. Notes of one thing before it is done and
  /// of another after it was seen keep their order.
  void note(record x);

  glance look() const;

  /// Judges what is left and ends; nothing may be noted afterwards.
  void finish();

  /// After `finish`.
  const checker& judged() const noexcept { return checker_; }
  /// What went wrong with the file, or empty. After `finish`.
  std::string file_problem() const;

private:
  void work();
  bool judge_waiting();

  mutable std::mutex inbox_;
  std::vector<timed_record> waiting_;
  mutable std::mutex judging_;
  checker checker_;
  std::unique_ptr<history_writer> file_;
  std::atomic<bool> is_over_ = false;
  std::thread thread_;
};

} // namespace fantail::chaos
