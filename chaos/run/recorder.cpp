// SPDX-License-Identifier: MIT
#include "chaos/run/recorder.hpp"

#include <numeric>
#include <utility>

namespace fantail::chaos {

namespace {

constexpr auto judge_interval = std::chrono::milliseconds{5};

} // namespace

recorder::recorder(checker_config config, std::unique_ptr<history_writer> file)
    : checker_(std::move(config)), file_(std::move(file)),
      thread_([this] { work(); }) {
  // nop
}

recorder::~recorder() {
  finish();
}

void recorder::note(record x) {
  std::lock_guard guard{inbox_};
  // Stamped inside, so that times rise.
  waiting_.push_back({std::chrono::steady_clock::now(), std::move(x)});
}

void recorder::work() {
  while (!is_over_)
    if (!judge_waiting())
      std::this_thread::sleep_for(judge_interval);
  judge_waiting();
}

bool recorder::judge_waiting() {
  std::vector<timed_record> batch;
  std::lock_guard judging{judging_};
  {
    std::lock_guard guard{inbox_};
    batch.swap(waiting_);
  }
  for (auto& x : batch) {
    if (file_)
      file_->write(x);
    checker_.take(x);
  }
  return !batch.empty();
}

recorder::glance recorder::look() const {
  glance result;
  std::lock_guard judging{judging_};
  auto& found = checker_.so_far();
  result.published = found.published;
  result.deliveries = found.deliveries;
  result.violations = std::accumulate(found.violations.begin(),
                                      found.violations.end(), uint64_t{0});
  if (!found.examples.empty())
    result.first_violation = std::string{to_string(found.examples[0].what)}
                             + ": " + found.examples[0].text;
  result.awaits_recovery = checker_.awaits_recovery();
  std::lock_guard guard{inbox_};
  result.lag = checker_.lag() + waiting_.size();
  return result;
}

void recorder::finish() {
  if (!thread_.joinable())
    return;
  is_over_ = true;
  thread_.join();
  checker_.finish();
  if (file_)
    file_->flush();
}

std::string recorder::file_problem() const {
  return file_ ? file_->problem() : "";
}

} // namespace fantail::chaos
