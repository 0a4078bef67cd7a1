// SPDX-License-Identifier: MIT
#pragma once

#include "core/pull.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The delivery format `frame`, byte for byte as docs/PROTOCOL.md describes it.
///
///     frame    "FNT1" | section_count u16 | 0 u16            (8 bytes)
///     section  shard u16 | flags u16 | event_count u32 | epoch u64
///              | from u64 | to u64 | event_bytes u32         (36 bytes)
///     event    position u64 | body_size u32 | header_size u16
///              | channel_size u8 | class u8                  (16 bytes)
///              | channel | headers | body
///
/// Integers are little endian and unaligned. A section speaks for every
/// position in (from, to].
namespace fantail::frame {

inline constexpr std::string_view magic = "FNT1";
inline constexpr size_t frame_header_bytes = 8;
inline constexpr size_t section_header_bytes = 36;
inline constexpr size_t event_header_bytes = 16;

/// Bits of a section's flags.
enum section_flags : uint16_t {
  /// The instance is lagging: live delivery stopped, `to` is the head it may
  /// ask for, and the section has no events.
  lagging = 1,
  /// Answer to a range request.
  replay = 2,
  /// The shard's stream was lost and begins anew at `from`.
  restarted = 4,
};

struct section_header {
  shard_id shard;
  uint16_t flags = 0;
  fantail::epoch epoch;
  position from;
  position to;

  bool operator==(const section_header&) const = default;
};

/// Bytes an event takes inside a section.
inline size_t encoded_size(const chat_event& x) noexcept {
  return event_header_bytes + x.channel.size() + x.headers.size()
         + x.body.size();
}

/// Writes frames into one reusable buffer. Not thread safe.
class writer {
public:
  writer();

  /// Opens a section; the one before is closed.
  void begin_section(const section_header& header);

  /// Appends an event to the open section. Its position has to lie in
  /// (from, to] and behind the event before.
  void add(const chat_event& event);

  /// Moves `to` of the open section, once it is known how far it reaches.
  void extend_section(position to);

  size_t byte_count() const noexcept { return bytes_.size(); }
  bool empty() const noexcept { return sections_ == 0; }

  /// The finished frame; valid until `clear`.
  std::string_view finish();

  /// Starts over, keeping the memory.
  void clear();

private:
  void close_section();

  std::vector<char> bytes_;
  size_t section_at_ = 0;
  uint32_t section_events_ = 0;
  uint16_t sections_ = 0;
};

struct section {
  section_header header;
  std::vector<chat_event> events;
};

/// Reads a frame from arbitrary bytes; the events are views into `bytes`.
/// Returns nothing, and the reason in `why`, if they are not a whole and
/// consistent frame. Never reads outside of `bytes`.
std::optional<std::vector<section>> read(std::string_view bytes,
                                         std::string* why = nullptr);

} // namespace fantail::frame
