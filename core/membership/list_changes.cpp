// SPDX-License-Identifier: MIT
#include "core/membership/list_changes.hpp"

#include "core/subject.hpp"

#include <algorithm>
#include <vector>

namespace fantail {

namespace {

constexpr size_t entry_head_bytes = 2;

/// The entry at the front of `bytes`, and what follows it.
struct entry {
  char what;
  std::string_view name;

  explicit entry(std::string_view bytes)
      : what(bytes[0]),
        name(bytes.substr(entry_head_bytes, static_cast<uint8_t>(bytes[1]))) {}

  size_t size() const { return entry_head_bytes + name.size(); }
};

/// A name and whether its newest change joined it.
struct claim {
  std::string_view name;
  uint32_t order;
  bool is_in;
};

} // namespace

void list_changes::set(const channel_list& names) {
  bytes_.clear();
  is_whole_ = true;
  append(names, joined);
}

void list_changes::append(const channel_list& names, char what) {
  for (auto name : names) {
    bytes_ += what;
    bytes_ += static_cast<char>(name.size());
    bytes_ += name;
  }
}

void list_changes::append(const list_changes& later) {
  if (later.is_whole_)
    *this = later;
  else
    bytes_ += later.bytes_;
}

channel_list list_changes::applied_to(const channel_list& base) const {
  std::vector<claim> claims;
  auto claim_one = [&](std::string_view name, bool is_in) {
    claims.push_back({name, static_cast<uint32_t>(claims.size()), is_in});
  };
  if (!is_whole_)
    for (auto name : base)
      claim_one(name, true);
  for (std::string_view rest = bytes_; !rest.empty();) {
    entry next{rest};
    claim_one(next.name, next.what == joined);
    rest.remove_prefix(next.size());
  }
  std::ranges::sort(claims, [](auto& a, auto& b) {
    auto order = a.name.compare(b.name);
    return order != 0 ? order < 0 : a.order < b.order;
  });
  channel_list result;
  for (size_t i = 0; i < claims.size(); ++i) {
    auto is_newest
        = i + 1 == claims.size() || claims[i + 1].name != claims[i].name;
    if (is_newest && claims[i].is_in)
      result.push_back(claims[i].name);
  }
  return result;
}

bool list_changes::restore(std::string_view bytes, bool is_whole) {
  for (auto rest = bytes; !rest.empty();) {
    if (rest.size() < entry_head_bytes)
      return false;
    entry next{rest};
    if ((next.what != joined && next.what != left) || !is_token(next.name)
        || next.name.size() != static_cast<uint8_t>(rest[1]))
      return false;
    rest.remove_prefix(next.size());
  }
  bytes_ = bytes;
  is_whole_ = is_whole;
  return true;
}

} // namespace fantail
