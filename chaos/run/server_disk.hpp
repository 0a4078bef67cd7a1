// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace fantail::chaos {

/// A file system in memory for the files of a nats-server, which can be made
/// full without filling anything else. Only the thread that makes it, those it
/// starts afterwards and their children see it, and it vanishes with them,
/// however they end. Not thread safe.
class server_disk {
public:
  /// Mounts it at `directory`. Returns why that is not possible here: it takes
  /// root, be it that of a user namespace.
  static std::variant<std::unique_ptr<server_disk>, std::string>
  mount(const std::string& directory);

  ~server_disk();
  server_disk(const server_disk&) = delete;
  server_disk& operator=(const server_disk&) = delete;

  /// From now on nothing more can be written. Returns what is wrong.
  std::optional<std::string> fill();
  /// There is room again.
  std::optional<std::string> make_room();

private:
  explicit server_disk(std::string directory);
  std::optional<std::string> resize(const std::string& size);

  std::string directory_;
};

} // namespace fantail::chaos
