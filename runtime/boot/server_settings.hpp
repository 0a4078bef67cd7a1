// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fantail {

/// What the configuration of an embedded nats-server depends on.
struct server_settings {
  /// How the server calls itself when it greets.
  std::string name;
  /// Where streams live; an absolute path.
  std::string store_directory;
  uint16_t port = 0;
  uint16_t shards = 0;
  uint16_t presence_shards = 0;
  uint64_t store_bytes = 0;
  uint64_t memory_bytes = 0;
};

/// The configuration file, in nats-server's grammar. It binds to 127.0.0.1,
/// turns JetStream on and maps the subjects of docs/PROTOCOL.md to those of
/// the shards.
std::string render(const server_settings& settings);

/// True for versions Fantail works with: 2.9.10 and newer.
bool is_supported_server(std::string_view version);

} // namespace fantail
