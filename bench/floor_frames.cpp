// SPDX-License-Identifier: MIT
#include "bench/floor_frames.hpp"

#include "core/frame.hpp"

#include <cstring>

namespace fantail::bench {

namespace {

// Offsets of the fields that are known only at the end.
constexpr size_t section_count_at = 4;
constexpr size_t event_count_at = 4;
constexpr size_t to_at = 24;
constexpr size_t event_bytes_at = 32;

constexpr uint64_t only_epoch = 1;

template <class T>
char* put(char* out, T value) {
  std::memcpy(out, &value, sizeof value);
  return out + sizeof value;
}

} // namespace

void encoded_event::assign(uint64_t position, std::string_view channel,
                           std::string_view body) {
  bytes_.resize(frame::event_header_bytes + channel.size() + body.size());
  auto* out = put(bytes_.data(), position);
  out = put(out, static_cast<uint32_t>(body.size()));
  out = put(out, uint16_t{0});
  out = put(out, static_cast<uint8_t>(channel.size()));
  out = put(out, uint8_t{0});
  std::memcpy(out, channel.data(), channel.size());
  std::memcpy(out + channel.size(), body.data(), body.size());
}

bool floor_frame::is_full_for(const encoded_event& event) const noexcept {
  return sections_ > 0
         && bytes_.size() + frame::section_header_bytes + event.bytes().size()
                > bytes_max_;
}

void floor_frame::add(uint16_t shard, uint64_t from, uint64_t position,
                      const encoded_event& event) {
  if (sections_ == 0 || section_shard_ != shard)
    open_section(shard, from);
  auto bytes = event.bytes();
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  section_to_ = position;
  ++section_events_;
}

void floor_frame::open_section(uint16_t shard, uint64_t from) {
  close_section();
  section_at_ = bytes_.size();
  section_shard_ = shard;
  section_events_ = 0;
  ++sections_;
  bytes_.resize(section_at_ + frame::section_header_bytes);
  auto* out = put(bytes_.data() + section_at_, shard);
  out = put(out, uint16_t{0});
  out = put(out, uint32_t{0});
  out = put(out, only_epoch);
  put(out, from);
}

void floor_frame::close_section() {
  if (sections_ == 0)
    return;
  auto* header = bytes_.data() + section_at_;
  auto size = bytes_.size() - section_at_ - frame::section_header_bytes;
  put(header + event_count_at, section_events_);
  put(header + to_at, section_to_);
  put(header + event_bytes_at, static_cast<uint32_t>(size));
}

std::string_view floor_frame::finish() {
  close_section();
  put(bytes_.data() + section_count_at, sections_);
  return {bytes_.data(), bytes_.size()};
}

void floor_frame::clear() {
  bytes_.assign(frame::frame_header_bytes, '\0');
  std::memcpy(bytes_.data(), frame::magic.data(), frame::magic.size());
  sections_ = 0;
}

} // namespace fantail::bench
