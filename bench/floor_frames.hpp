// SPDX-License-Identifier: MIT
#pragma once

#include "core/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fantail::bench {

/// One chat event in the wire form of a frame, which is the same for every
/// instance: written once, then copied. See docs/PROTOCOL.md, §5.
class encoded_event {
public:
  /// The load of the benchmarks has no headers, and its class is critical.
  void assign(uint64_t position, std::string_view channel,
              std::string_view body);

  std::string_view bytes() const noexcept {
    return {bytes_.data(), bytes_.size()};
  }

private:
  std::vector<char> bytes_;
};

/// The frame that a bare program is filling for one instance. It knows the
/// shape of a frame and nothing of what a router has to care about: no
/// acknowledgements, no windows, no epochs but 1.
///
/// Invariant: an open frame is never larger than `bytes_max`, unless a single
/// event is.
class floor_frame {
public:
  explicit floor_frame(size_t bytes_max = limits::frame_bytes_default)
      : bytes_max_(bytes_max) {
    clear();
  }

  bool is_empty() const noexcept { return sections_ == 0; }

  /// Whether `event` has to wait for the next frame.
  bool is_full_for(const encoded_event& event) const noexcept;

  /// Appends an event. `from` is where the section begins if a new one has to
  /// be opened: the end of the one before, as the instance was told.
  void add(uint16_t shard, uint64_t from, uint64_t position,
           const encoded_event& event);

  /// The finished frame; valid until `clear`.
  std::string_view finish();

  void clear();

private:
  void open_section(uint16_t shard, uint64_t from);
  void close_section();

  std::vector<char> bytes_;
  size_t bytes_max_;
  size_t section_at_ = 0;
  uint64_t section_to_ = 0;
  uint32_t section_events_ = 0;
  uint16_t section_shard_ = 0;
  uint16_t sections_ = 0;
};

} // namespace fantail::bench
