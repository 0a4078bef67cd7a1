// SPDX-License-Identifier: MIT
#include "runtime/boot/server_settings.hpp"

#include "core/limits.hpp"
#include "core/subject.hpp"

#include <array>
#include <charconv>

namespace fantail {

namespace {

std::string as_text(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result += "\"";
}

/// `messages.send.*` to `fantail.in.{{partition(8,1)}}.{{wildcard(1)}}`.
std::string mapping(std::string_view from, std::string_view to,
                    uint16_t parts) {
  std::string result = "  ";
  result.append(as_text(std::string{from} + "*")).append(": ");
  auto target = std::string{to} + "{{partition(" + std::to_string(parts)
                + ",1)}}.{{wildcard(1)}}";
  return result.append(as_text(target)).append("\n");
}

} // namespace

std::string render(const server_settings& x) {
  auto number = [](auto value) {
    return std::to_string(value);
  };
  std::string result = "# Written by Fantail at every start.\n";
  result += "server_name: " + as_text(x.name) + "\n";
  result += "listen: \"127.0.0.1:" + number(x.port) + "\"\n";
  result += "max_payload: " + number(limits::payload_bytes_max) + "\n";
  // A burst of deliveries must not look like a slow consumer: what a client
  // may have pending is several of its outboxes.
  result += "max_pending: " + number(256u << 20) + "\n";
  result += "write_deadline: \"10s\"\n";
  result += "ping_interval: \"20s\"\n";
  result += "jetstream {\n";
  result += "  store_dir: " + as_text(x.store_directory) + "\n";
  result += "  max_file_store: " + number(x.store_bytes) + "\n";
  result += "  max_memory_store: " + number(x.memory_bytes) + "\n";
  result += "}\n";
  result += "mappings {\n";
  result += mapping(subjects::chat_input, "fantail.in.", x.shards);
  result += mapping(subjects::presence_input, "fantail.presence.",
                    x.presence_shards);
  return result += "}\n";
}

bool is_supported_server(std::string_view version) {
  constexpr std::array<int, 3> floor = {2, 9, 10};
  std::array<int, 3> parts{};
  auto* at = version.data();
  auto* end = at + version.size();
  for (size_t i = 0; i < parts.size(); ++i) {
    auto parsed = std::from_chars(at, end, parts[i]);
    if (parsed.ec != std::errc{})
      return false;
    at = parsed.ptr;
    if (i + 1 < parts.size() && (at == end || *at++ != '.'))
      return false;
  }
  return parts >= floor;
}

} // namespace fantail
