// SPDX-License-Identifier: MIT
#include "chaos/run/server_disk.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

namespace fantail::chaos {

namespace {

/// A limit, not a reservation: what streams may reserve is a share of it.
constexpr auto roomy = "size=64g";
/// The server writes on while the room is measured.
constexpr int fill_attempts = 100;

std::string reason(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

/// Gives this thread mounts of its own.
std::optional<std::string> take_own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0)
    return reason("no mounts of its own");
  // Nothing of ours may appear anywhere else.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return reason("the mounts cannot be made private");
  return std::nullopt;
}

} // namespace

std::variant<std::unique_ptr<server_disk>, std::string>
server_disk::mount(const std::string& directory) {
  if (auto why = take_own_mounts())
    return *why;
  if (::mount("fantail-chaos", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
              roomy)
      != 0)
    return reason("no file system in memory");
  return std::unique_ptr<server_disk>{new server_disk{directory}};
}

server_disk::server_disk(std::string directory)
    : directory_(std::move(directory)) {
  // nop
}

server_disk::~server_disk() {
  ::umount2(directory_.c_str(), MNT_DETACH);
}

std::optional<std::string> server_disk::resize(const std::string& size) {
  // What is remounted without its other flags loses them.
  if (::mount(nullptr, directory_.c_str(), nullptr,
              MS_REMOUNT | MS_NOSUID | MS_NODEV, size.c_str())
      != 0)
    return reason("the disk cannot be resized");
  return std::nullopt;
}

std::optional<std::string> server_disk::fill() {
  std::optional<std::string> problem;
  for (int i = 0; i < fill_attempts; ++i) {
    struct statvfs facts;
    if (::statvfs(directory_.c_str(), &facts) != 0)
      return reason("the disk cannot be looked at");
    auto used = uint64_t{facts.f_blocks - facts.f_bfree} * facts.f_frsize;
    // No size at all would be no limit.
    problem = resize("size=" + std::to_string(used + facts.f_frsize));
    if (!problem)
      return std::nullopt;
  }
  return problem;
}

std::optional<std::string> server_disk::make_room() {
  return resize(roomy);
}

} // namespace fantail::chaos
