// SPDX-License-Identifier: MIT
#include "runtime/profile/cpu_profiler.hpp"

#include "runtime/profile/profile_file.hpp"

#include <gperftools/profiler.h>

namespace fantail {

profile cpu_profiler::take(duration length) {
  std::unique_lock guard{mutex_};
  if (is_cancelled_)
    return {profile::outcome::cancelled, "the node stops"};
  // ProfilerStart refuses as well, e.g. when CPUPROFILE started one.
  profile_file file;
  if (is_running_ || !file.is_open() || !ProfilerStart(file.path().c_str()))
    return {profile::outcome::busy, "another CPU profile is being taken"};
  is_running_ = true;
  changed_.wait_for(guard, length, [this] { return is_cancelled_; });
  ProfilerStop();
  is_running_ = false;
  if (is_cancelled_)
    return {profile::outcome::cancelled, "the node stops"};
  return {profile::outcome::taken, file.content()};
}

void cpu_profiler::cancel() {
  {
    std::lock_guard guard{mutex_};
    is_cancelled_ = true;
  }
  changed_.notify_all();
}

} // namespace fantail
