// SPDX-License-Identifier: MIT
#include "core/membership/member_record.hpp"

#include "core/limits.hpp"
#include "core/subject.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace fantail::member_record {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view magic = "FNM1";
constexpr uint8_t flag_compressed = 1;
constexpr size_t checksum_at = 4;
constexpr size_t version_at = 8;
constexpr size_t hash_at = 16;
constexpr size_t count_at = 24;
constexpr size_t plain_bytes_at = 28;
constexpr size_t flags_at = 32;
constexpr size_t user_size_at = 33;
constexpr size_t user_at = 34;

/// Fast, and nearly as small as the best.
constexpr int deflate_level = 1;

/// A name takes at most two bytes more than it has.
constexpr size_t plain_bytes_max = size_t{4} * 1024 * 1024;

template <class T>
void put(std::string& to, size_t at, T x) {
  std::memcpy(to.data() + at, &x, sizeof x);
}

template <class T>
T get(std::string_view from, size_t at) {
  T x;
  std::memcpy(&x, from.data() + at, sizeof x);
  return x;
}

uint32_t checksum_of(std::string_view record) {
  auto rest = record.substr(version_at);
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(rest.data()),
            static_cast<uInt>(rest.size())));
}

std::string front_coded(const channel_list& list) {
  std::string result;
  std::string_view before;
  for (auto name : list) {
    auto shared = static_cast<size_t>(std::ranges::mismatch(before, name).in2
                                      - name.begin());
    result += static_cast<char>(shared);
    result += static_cast<char>(name.size() - shared);
    result += name.substr(shared);
    before = name;
  }
  return result;
}

/// Nothing if the names are no list of tokens in order.
bool take_names(std::string_view coded, uint32_t count, channel_list& list) {
  list.clear();
  std::string name;
  std::string before;
  for (; count > 0; --count) {
    if (coded.size() < 2)
      return false;
    auto shared = static_cast<uint8_t>(coded[0]);
    auto rest = static_cast<uint8_t>(coded[1]);
    if (shared > before.size() || coded.size() < size_t{2} + rest)
      return false;
    name.assign(before, 0, shared).append(coded, 2, rest);
    if (!is_token(name) || name <= before)
      return false;
    list.push_back(name);
    before.swap(name);
    coded.remove_prefix(size_t{2} + rest);
  }
  return coded.empty();
}

std::string deflated(std::string_view plain) {
  auto size = compressBound(plain.size());
  std::string result(size, '\0');
  [[maybe_unused]] auto code
      = compress2(reinterpret_cast<Bytef*>(result.data()), &size,
                  reinterpret_cast<const Bytef*>(plain.data()), plain.size(),
                  deflate_level);
  assert(code == Z_OK);
  result.resize(size);
  return result;
}

std::optional<std::string> inflated(std::string_view packed, size_t size) {
  std::string result(size, '\0');
  auto got = static_cast<uLongf>(size);
  auto code = uncompress(reinterpret_cast<Bytef*>(result.data()), &got,
                         reinterpret_cast<const Bytef*>(packed.data()),
                         packed.size());
  if (code != Z_OK || got != size)
    return std::nullopt;
  return result;
}

} // namespace

std::optional<std::string> encode(std::string_view user, log_position version,
                                  const channel_list& list) {
  auto names = front_coded(list);
  auto plain_bytes = static_cast<uint32_t>(names.size());
  uint8_t flags = 0;
  if (names.size() > limits::member_plain_bytes_max) {
    names = deflated(names);
    flags = flag_compressed;
  }
  if (user_at + user.size() + names.size() > limits::member_record_bytes_max
      || plain_bytes > plain_bytes_max)
    return std::nullopt;
  auto digest = digest_of(list);
  std::string result(user_at, '\0');
  result.reserve(user_at + user.size() + names.size());
  std::ranges::copy(magic, result.begin());
  put(result, version_at, version.value);
  put(result, hash_at, digest.hash);
  put(result, count_at, digest.count);
  put(result, plain_bytes_at, plain_bytes);
  put(result, flags_at, flags);
  put(result, user_size_at, static_cast<uint8_t>(user.size()));
  result.append(user).append(names);
  seal(result);
  return result;
}

void seal(std::string& record) {
  put(record, checksum_at, checksum_of(record));
}

std::optional<header> read_header(std::string_view record) {
  if (record.size() < user_at || !record.starts_with(magic)
      || get<uint32_t>(record, checksum_at) != checksum_of(record))
    return std::nullopt;
  auto user_size = get<uint8_t>(record, user_size_at);
  header result;
  result.user = record.substr(user_at, user_size);
  result.version = log_position{get<uint64_t>(record, version_at)};
  result.digest
      = {get<uint64_t>(record, hash_at), get<uint32_t>(record, count_at)};
  if (result.user.size() != user_size || !is_token(result.user))
    return std::nullopt;
  return result;
}

std::optional<header> decode(std::string_view record, channel_list& list) {
  auto result = read_header(record);
  if (!result)
    return std::nullopt;
  auto names = record.substr(user_at + result->user.size());
  auto plain_bytes = get<uint32_t>(record, plain_bytes_at);
  std::optional<std::string> unpacked;
  if (get<uint8_t>(record, flags_at) & flag_compressed) {
    // What claims to grow beyond every bound is not worth its memory.
    if (plain_bytes > plain_bytes_max)
      return std::nullopt;
    unpacked = inflated(names, plain_bytes);
    if (!unpacked)
      return std::nullopt;
    names = *unpacked;
  }
  if (!take_names(names, result->digest.count, list)
      || digest_of(list) != result->digest)
    return std::nullopt;
  return result;
}

} // namespace fantail::member_record
