// SPDX-License-Identifier: MIT
#include "core/snapshot/snapshot_codec.hpp"

#include "core/limits.hpp"
#include "core/snapshot/byte_reader.hpp"
#include "core/snapshot/byte_writer.hpp"
#include "core/snapshot/checksum.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace fantail {

namespace {

constexpr std::string_view magic = "FNS1";
constexpr uint8_t format_version = 1;
constexpr size_t checksum_at = snapshot_part_head - sizeof(uint32_t);
constexpr size_t log_bytes = sizeof(uint16_t) + 2 * sizeof(uint64_t);

/// Covers everything but itself.
uint32_t checksum_of(std::string_view message) {
  return crc32_of(message.substr(snapshot_part_head),
                  crc32_of(message.substr(0, checksum_at)));
}

} // namespace

std::string to_string(snapshot_source x) {
  auto word = x.what == snapshot_source::kind::presence ? "presence shard "
                                                        : "routing shard ";
  return word + std::to_string(x.shard);
}

log_progress snapshot_descriptor::log_of(presence_shard_id x) const {
  auto i = std::ranges::find(logs, x, [](auto& log) { return log.first; });
  return i == logs.end() ? log_progress{} : i->second;
}

void seal(const snapshot_part& head, std::string& bytes) {
  assert(bytes.size() >= snapshot_part_head);
  byte_writer out;
  out.copy_from(magic.data(), magic.size());
  out.put(format_version);
  out.put(head.what);
  out.put(head.of.what);
  out.put(uint8_t{0});
  out.put(head.of.shard);
  out.put(uint16_t{0});
  out.put(head.index);
  out.put(head.id);
  out.put(head.first);
  out.put(static_cast<uint32_t>(bytes.size() - snapshot_part_head));
  auto written = std::move(out.take().front());
  assert(written.size() == checksum_at);
  bytes.replace(0, checksum_at, written);
  auto checksum = checksum_of(bytes);
  std::memcpy(bytes.data() + checksum_at, &checksum, sizeof checksum);
}

std::optional<snapshot_part> read_part(std::string_view bytes,
                                       std::string& why) {
  byte_reader in{bytes.substr(0, snapshot_part_head)};
  std::string word(magic.size(), '\0');
  in.copy_to(word.data(), word.size());
  in.expect(word == magic, "this is no part of a snapshot");
  in.expect(in.take<uint8_t>() == format_version,
            "the format has another version");
  auto what = in.take<uint8_t>();
  auto kind = in.take<uint8_t>();
  in.take<uint8_t>();
  snapshot_part result;
  result.of.shard = in.take<uint16_t>();
  in.take<uint16_t>();
  result.index = in.take<uint32_t>();
  result.id = in.take<uint64_t>();
  result.first = in.take<uint64_t>();
  auto size = in.take<uint32_t>();
  auto checksum = in.take<uint32_t>();
  if (in.ok() && size == bytes.size() - snapshot_part_head)
    in.expect(checksum == checksum_of(bytes), "the checksum is wrong");
  else
    in.fail("the message has another size");
  in.expect(what >= 1 && what <= 3 && kind <= 1, "the part has no known role");
  if (!in.ok()) {
    why = in.problem();
    return std::nullopt;
  }
  result.what = static_cast<snapshot_part::role>(what);
  result.of.what = static_cast<snapshot_source::kind>(kind);
  result.payload = bytes.substr(snapshot_part_head);
  return result;
}

std::string encode(const snapshot_descriptor& x) {
  byte_writer out{SIZE_MAX, snapshot_part_head};
  out.put_text(x.created_at);
  out.put(x.version_base);
  out.put(x.image_bytes);
  out.put_count(x.logs.size());
  for (auto& [shard, log] : x.logs) {
    out.put(shard.value);
    out.put(log.life.value);
    out.put(log.up_to.value);
  }
  return std::move(out.take().front());
}

std::optional<snapshot_descriptor> decode_descriptor(std::string_view payload,
                                                     std::string& why) {
  byte_reader in{payload};
  snapshot_descriptor result;
  result.created_at = in.take_text();
  result.version_base = in.take<uint64_t>();
  result.image_bytes = in.take<uint64_t>();
  result.logs.resize(in.take_count(log_bytes, limits::presence_shards_max));
  for (auto& [shard, log] : result.logs) {
    shard.value = in.take<uint16_t>();
    log.life.value = in.take<uint64_t>();
    log.up_to.value = in.take<uint64_t>();
  }
  if (in.expect_end())
    return result;
  why = in.problem();
  return std::nullopt;
}

} // namespace fantail
