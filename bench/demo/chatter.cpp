// SPDX-License-Identifier: MIT
#include "bench/demo/chatter.hpp"

#include "core/hash.hpp"

#include <array>

namespace fantail::demo {

namespace {

constexpr std::array<std::string_view, 32> words{
    "the",    "a",       "server", "works", "for",  "me",   "does",  "anyone",
    "know",   "how",     "to",     "build", "this", "on",   "my",    "machine",
    "thanks", "yes",     "no",     "maybe", "try",  "it",   "again", "later",
    "which",  "version", "do",     "you",   "use",  "here", "fixed", "now"};

} // namespace

std::string numbered(std::string_view prefix, uint32_t number, int digits) {
  auto text = std::to_string(number);
  std::string result{prefix};
  for (auto i = static_cast<int>(text.size()); i < digits; ++i)
    result += '0';
  return result += text;
}

std::string made_up_text(uint64_t seed, size_t bytes) {
  std::string result;
  result.reserve(bytes + 8);
  while (result.size() < bytes) {
    // Knuth's MMIX generator: its high bits are good enough to pick words.
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    result.append(words[seed >> 59]).append(" ");
  }
  result.resize(bytes);
  return result;
}

std::string chat_body(std::string_view event_id, std::string_view channel,
                      std::string_view sender, size_t bytes) {
  std::string result{"{\"event_id\":\""};
  // Names and words need no escapes.
  result.append(event_id)
      .append("\",\"type\":\"message.sent\",\"channel_id\":\"")
      .append(channel)
      .append("\",\"sender_id\":\"")
      .append(sender)
      .append("\",\"content\":\"")
      .append(made_up_text(table_hash(event_id), bytes))
      .append("\",\"metadata\":{}}");
  return result;
}

} // namespace fantail::demo
