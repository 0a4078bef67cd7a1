// SPDX-License-Identifier: MIT
#include "core/snapshot/snapshot_reader.hpp"

#include <utility>

namespace fantail {

using role = snapshot_part::role;

snapshot_search::snapshot_search(snapshot_source of, uint64_t first,
                                 uint64_t last, size_t most)
    : of_(of), first_(first), at_(last), most_(most) {
  // nop
}

std::optional<uint64_t> snapshot_search::next() const {
  if (at_ == 0 || at_ < first_ || found_.size() >= most_)
    return std::nullopt;
  return at_;
}

void snapshot_search::take(std::optional<std::string_view> message) {
  std::string why = "it is missing";
  auto part = message ? read_part(*message, why) : std::nullopt;
  auto is_sound = part && part->of == of_
                  && (part->what == role::header
                      || (part->first >= first_ && part->first < at_));
  if (!is_sound) {
    problems_.push_back("message " + std::to_string(at_) + ": " + why);
    --at_;
    return;
  }
  if (part->what == role::trailer)
    add(*part);
  else
    problems_.push_back(
        "the snapshot at message "
        + std::to_string(part->what == role::header ? at_ : part->first)
        + " was never finished");
  at_ = (part->what == role::header ? at_ : part->first) - 1;
}

void snapshot_search::add(const snapshot_part& trailer) {
  std::string why;
  if (auto about = decode_descriptor(trailer.payload, why))
    found_.push_back({of_, trailer.id, trailer.first, at_, std::move(*about)});
  else
    problems_.push_back("message " + std::to_string(at_) + ": " + why);
}

void snapshot_assembly::take(uint64_t sequence,
                             std::optional<std::string> message) {
  if (message)
    messages_[sequence] = std::move(*message);
}

byte_reader snapshot_assembly::image() const {
  std::vector<std::string_view> chunks;
  std::string why;
  uint32_t index = 0;
  uint64_t bytes = 0;
  auto is_whole = false;
  for (auto& [sequence, message] : messages_) {
    auto part = read_part(message, why);
    if (!part)
      break;
    // What an attempt given up before left over may stand in between.
    if (part->id != what_.id || part->of != what_.of)
      continue;
    auto is_last = sequence == what_.last;
    auto wanted = sequence == what_.first ? role::header
                  : is_last               ? role::trailer
                                          : role::chunk;
    if (part->what != wanted || part->index != index++)
      break;
    if (wanted == role::chunk) {
      chunks.push_back(part->payload);
      bytes += part->payload.size();
    }
    is_whole = is_last && bytes == what_.about.image_bytes;
  }
  byte_reader result{std::move(chunks)};
  result.expect(is_whole, why.empty() ? "a part is missing" : why);
  return result;
}

} // namespace fantail
