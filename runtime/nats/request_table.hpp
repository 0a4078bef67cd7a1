// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/nats/connection.hpp"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fantail::nats {

/// Requests that wait for their answer, by the token in their reply subject.
/// Thread safe; handlers are called without the lock.
class request_table {
public:
  /// Returns the token of the new request.
  uint64_t add(connection::reply_handler handler, time_point deadline) {
    std::lock_guard guard{mutex_};
    requests_[++last_token_] = {std::move(handler), deadline};
    return last_token_;
  }

  /// Hands the answer, or nullptr for none, to whoever waits for it.
  void answer(uint64_t token, const message* x) {
    connection::reply_handler handler;
    {
      std::lock_guard guard{mutex_};
      auto i = requests_.find(token);
      if (i == requests_.end())
        return;
      handler = std::move(i->second.handler);
      requests_.erase(i);
    }
    handler(x);
  }

  /// Ends what is overdue; returns the next deadline.
  time_point expire(time_point now) {
    std::vector<uint64_t> late;
    auto next = time_point::max();
    {
      std::lock_guard guard{mutex_};
      for (auto& [token, x] : requests_) {
        if (x.deadline <= now)
          late.push_back(token);
        else
          next = std::min(next, x.deadline);
      }
    }
    for (auto token : late)
      answer(token, nullptr);
    return next;
  }

private:
  struct pending {
    connection::reply_handler handler;
    time_point deadline;
  };

  std::mutex mutex_;
  uint64_t last_token_ = 0;
  std::unordered_map<uint64_t, pending> requests_;
};

} // namespace fantail::nats
