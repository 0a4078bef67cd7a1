// SPDX-License-Identifier: MIT
#include "core/snapshot/snapshot_writer.hpp"

#include <iterator>
#include <utility>

namespace fantail {

snapshot_writer::snapshot_writer(snapshot_source of, uint64_t id,
                                 snapshot_descriptor about,
                                 std::vector<std::string> chunks)
    : chunks_(std::make_move_iterator(chunks.begin()),
              std::make_move_iterator(chunks.end())) {
  about.image_bytes = 0;
  for (auto& chunk : chunks_)
    about.image_bytes += chunk.size() - snapshot_part_head;
  result_.of = of;
  result_.id = id;
  result_.about = std::move(about);
}

std::optional<std::string> snapshot_writer::next(size_t bytes_under_way_max) {
  if (next_index_ == 0)
    return make_part(snapshot_part::role::header, encode(result_.about));
  if (result_.first == 0 || trailer_is_out_)
    return std::nullopt;
  if (!chunks_.empty()) {
    auto would_be = bytes_under_way_ + chunks_.front().size();
    if (bytes_under_way_ > 0 && would_be > bytes_under_way_max)
      return std::nullopt;
    auto bytes = std::move(chunks_.front());
    chunks_.pop_front();
    return make_part(snapshot_part::role::chunk, std::move(bytes));
  }
  if (bytes_under_way_ > 0)
    return std::nullopt;
  trailer_is_out_ = true;
  return make_part(snapshot_part::role::trailer, encode(result_.about));
}

std::string snapshot_writer::make_part(snapshot_part::role what,
                                       std::string bytes) {
  snapshot_part head;
  head.what = what;
  head.of = result_.of;
  head.id = result_.id;
  head.index = next_index_++;
  head.first = result_.first;
  seal(head, bytes);
  under_way_.push_back(bytes.size());
  bytes_under_way_ += bytes.size();
  return bytes;
}

void snapshot_writer::stored(uint64_t sequence) {
  if (under_way_.empty())
    return;
  bytes_under_way_ -= under_way_.front();
  under_way_.pop_front();
  if (result_.first == 0)
    result_.first = sequence;
  else if (trailer_is_out_ && under_way_.empty())
    result_.last = sequence;
}

} // namespace fantail
