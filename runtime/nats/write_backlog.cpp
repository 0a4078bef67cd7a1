// SPDX-License-Identifier: MIT
#include "runtime/nats/write_backlog.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace fantail::nats {

namespace {

/// Some frames; little enough to stay in the cache.
constexpr size_t chunk_bytes = 512 * 1024;

using sizes = std::array<uint32_t, 4>;

sizes sizes_at(const char* at) {
  sizes result;
  std::memcpy(result.data(), at, sizeof result);
  return result;
}

} // namespace

void write_backlog::push(const waiting& x) {
  auto need = sizeof(sizes) + x.subject.size() + x.body.size() + x.reply.size()
              + x.headers.size();
  if (chunks_.empty() || chunks_.back().size() + need > chunk_bytes) {
    chunks_.push_back(std::exchange(spare_, {}));
    chunks_.back().reserve(chunk_bytes);
  }
  auto& chunk = chunks_.back();
  sizes head;
  size_t i = 0;
  for (auto part : {x.subject, x.body, x.reply, x.headers})
    head[i++] = static_cast<uint32_t>(part.size());
  chunk.append(reinterpret_cast<const char*>(head.data()), sizeof head);
  for (auto part : {x.subject, x.body, x.reply, x.headers})
    chunk.append(part);
  bytes_ += need;
}

write_backlog::waiting write_backlog::front() const {
  auto* at = chunks_.front().data() + at_;
  auto head = sizes_at(at);
  at += sizeof head;
  std::array<std::string_view, 4> parts;
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i] = {at, head[i]};
    at += head[i];
  }
  return {parts[0], parts[1], parts[2], parts[3]};
}

void write_backlog::pop() {
  auto head = sizes_at(chunks_.front().data() + at_);
  auto size = sizeof head + head[0] + head[1] + head[2] + head[3];
  at_ += size;
  bytes_ -= size;
  if (at_ < chunks_.front().size())
    return;
  at_ = 0;
  spare_ = std::move(chunks_.front());
  spare_.clear();
  chunks_.pop_front();
}

} // namespace fantail::nats
