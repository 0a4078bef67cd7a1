// SPDX-License-Identifier: MIT
#pragma once

#include "core/control/control_reject.hpp"
#include "core/ids.hpp"
#include "core/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail {

/// Takes typed members out of a JSON object from outside, one after the other,
/// and keeps the first complaint: a decoder reads all it needs and asks once,
/// at the end, whether all went well. Not thread safe.
class member_reader {
public:
  explicit member_reader(std::string_view body);

  bool ok() const noexcept { return reason_ == control_reject::none; }
  control_reject reason() const noexcept { return reason_; }
  /// One line for people.
  const std::string& detail() const noexcept { return detail_; }

  bool has(std::string_view key) const;

  /// Keeps the complaint unless `good` or there is one already.
  void check(bool good, control_reject reason, std::string_view detail);

  /// A string; empty, with a complaint, if it is absent or something else.
  std::string text(std::string_view key);
  /// A string that may be absent.
  std::string text_or(std::string_view key, std::string_view fallback);
  /// A string that is a token (core/subject.hpp).
  std::string token(std::string_view key);
  /// An inbox, or empty if absent.
  std::string reply_to();

  /// A whole number from 0 to `most`.
  uint64_t number(std::string_view key, uint64_t most = INT64_MAX);

  /// `{"0":1041,"5":77}`, in the order of the shards.
  std::vector<std::pair<shard_id, position>> positions(std::string_view key);

  struct shard_start {
    shard_id shard;
    fantail::epoch epoch;
    position at;

    bool operator==(const shard_start&) const = default;
  };

  /// `{"0":[3,1041]}`: epoch and position, in the order of the shards.
  std::vector<shard_start> shard_starts(std::string_view key);

private:
  const json::value* find(std::string_view key);
  const json::object* object(std::string_view key);
  uint64_t whole(const json::value& x, std::string_view key, uint64_t most);
  shard_id shard(std::string_view name, std::string_view key);
  void wrong_type(std::string_view key, std::string_view wanted);

  json::value root_;
  control_reject reason_ = control_reject::none;
  std::string detail_;
};

} // namespace fantail
