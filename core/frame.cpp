// SPDX-License-Identifier: MIT
#include "core/frame.hpp"

#include <bit>
#include <cassert>
#include <cstring>

namespace fantail::frame {

static_assert(std::endian::native == std::endian::little,
              "frames are little endian and written without conversion");

namespace {

// Offsets inside a section header of the fields that are written at its end.
constexpr size_t event_count_at = 4;
constexpr size_t to_at = 24;
constexpr size_t event_bytes_at = 32;
constexpr size_t section_count_at = 4;

template <class T>
void put(char*& out, T value) {
  std::memcpy(out, &value, sizeof value);
  out += sizeof value;
}

template <class T>
void put_at(std::vector<char>& out, size_t offset, T value) {
  std::memcpy(out.data() + offset, &value, sizeof value);
}

/// Takes values from the front of a byte range; every step checks the rest.
struct cursor {
  std::string_view rest;

  template <class T>
  bool take(T& value) {
    if (rest.size() < sizeof value)
      return false;
    std::memcpy(&value, rest.data(), sizeof value);
    rest.remove_prefix(sizeof value);
    return true;
  }

  bool take(std::string_view& value, size_t size) {
    if (rest.size() < size)
      return false;
    value = rest.substr(0, size);
    rest.remove_prefix(size);
    return true;
  }
};

bool take_event(cursor& in, chat_event& event) {
  uint32_t body_size;
  uint16_t header_size;
  uint8_t channel_size, cls;
  if (!in.take(event.pos.value) || !in.take(body_size) || !in.take(header_size)
      || !in.take(channel_size) || !in.take(cls))
    return false;
  if (cls > static_cast<uint8_t>(event_class::best_effort))
    return false;
  event.cls = static_cast<event_class>(cls);
  return in.take(event.channel, channel_size)
         && in.take(event.headers, header_size)
         && in.take(event.body, body_size);
}

/// Returns what is wrong, or nullptr.
const char* take_section(cursor& in, section& result) {
  auto& header = result.header;
  uint32_t event_count, event_bytes;
  if (!in.take(header.shard.value) || !in.take(header.flags)
      || !in.take(event_count) || !in.take(header.epoch.value)
      || !in.take(header.from.value) || !in.take(header.to.value)
      || !in.take(event_bytes))
    return "the section header is cut short";
  if (header.from > header.to)
    return "a section ends before it begins";
  cursor body;
  if (!in.take(body.rest, event_bytes))
    return "a section is longer than the frame";
  if (event_count > event_bytes / event_header_bytes)
    return "a section claims more events than it has bytes for";
  result.events.reserve(event_count);
  auto last = header.from;
  for (uint32_t i = 0; i < event_count; ++i) {
    auto& event = result.events.emplace_back();
    if (!take_event(body, event))
      return "an event is cut short";
    if (event.pos <= last || event.pos > header.to)
      return "an event lies outside of its section";
    last = event.pos;
  }
  return body.rest.empty() ? nullptr : "bytes are left behind the last event";
}

} // namespace

writer::writer() {
  clear();
}

void writer::begin_section(const section_header& header) {
  assert(header.from <= header.to);
  close_section();
  section_at_ = bytes_.size();
  section_events_ = 0;
  ++sections_;
  bytes_.resize(section_at_ + section_header_bytes);
  auto* out = bytes_.data() + section_at_;
  put(out, header.shard.value);
  put(out, header.flags);
  put(out, uint32_t{0});
  put(out, header.epoch.value);
  put(out, header.from.value);
  put(out, header.to.value);
  put(out, uint32_t{0});
}

void writer::add(const chat_event& event) {
  assert(sections_ > 0);
  auto at = bytes_.size();
  bytes_.resize(at + encoded_size(event));
  auto* out = bytes_.data() + at;
  put(out, event.pos.value);
  put(out, static_cast<uint32_t>(event.body.size()));
  put(out, static_cast<uint16_t>(event.headers.size()));
  put(out, static_cast<uint8_t>(event.channel.size()));
  put(out, static_cast<uint8_t>(event.cls));
  for (auto part : {event.channel, event.headers, event.body})
    if (!part.empty()) {
      std::memcpy(out, part.data(), part.size());
      out += part.size();
    }
  ++section_events_;
}

void writer::extend_section(position to) {
  assert(sections_ > 0);
  put_at(bytes_, section_at_ + to_at, to.value);
}

void writer::close_section() {
  if (sections_ == 0)
    return;
  auto size = bytes_.size() - section_at_ - section_header_bytes;
  put_at(bytes_, section_at_ + event_count_at, section_events_);
  put_at(bytes_, section_at_ + event_bytes_at, static_cast<uint32_t>(size));
}

std::string_view writer::finish() {
  close_section();
  put_at(bytes_, section_count_at, sections_);
  return {bytes_.data(), bytes_.size()};
}

void writer::clear() {
  bytes_.assign(frame_header_bytes, '\0');
  std::memcpy(bytes_.data(), magic.data(), magic.size());
  section_at_ = 0;
  section_events_ = 0;
  sections_ = 0;
}

std::optional<std::vector<section>> read(std::string_view bytes,
                                         std::string* why) {
  auto fail = [&](const char* reason) {
    if (why)
      *why = reason;
    return std::nullopt;
  };
  cursor in{bytes};
  std::string_view word;
  uint16_t section_count, reserved;
  if (!in.take(word, magic.size()) || word != magic)
    return fail("the bytes are not a frame of version 1");
  if (!in.take(section_count) || !in.take(reserved))
    return fail("the frame header is cut short");
  if (section_count > in.rest.size() / section_header_bytes)
    return fail("the frame claims more sections than it has bytes for");
  std::vector<section> result(section_count);
  for (auto& x : result)
    if (auto* reason = take_section(in, x))
      return fail(reason);
  if (!in.rest.empty())
    return fail("bytes are left behind the last section");
  return result;
}

} // namespace fantail::frame
