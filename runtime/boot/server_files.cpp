// SPDX-License-Identifier: MIT
#include "runtime/boot/server_files.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace fantail {

namespace fs = std::filesystem;

namespace {

std::string reason() {
  return std::strerror(errno);
}

bool is_program(const std::string& path) {
  struct stat facts;
  return stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode)
         && access(path.c_str(), X_OK) == 0;
}

uint64_t size_of_directory(const std::string& directory) {
  uint64_t result = 0;
  std::error_code problem;
  auto i = fs::recursive_directory_iterator{directory, problem};
  while (!problem && i != fs::recursive_directory_iterator{}) {
    std::error_code vanished;
    if (i->is_regular_file(vanished))
      if (auto size = i->file_size(vanished); !vanished)
        result += size;
    i.increment(problem);
  }
  return result;
}

/// Binds to `port` of the loopback address for a moment; returns the port it
/// got, or 0.
uint16_t try_bind(uint16_t port) {
  auto socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0)
    return 0;
  // As the server does: a port in TIME_WAIT is free.
  int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  uint16_t result = 0;
  if (bind(socket, raw, size) == 0 && listen(socket, 1) == 0
      && getsockname(socket, raw, &size) == 0)
    result = ntohs(address.sin_port);
  close(socket);
  return result;
}

} // namespace

file_lock& file_lock::operator=(file_lock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

std::optional<std::string> file_lock::take(const std::string& path,
                                           duration patience) {
  release();
  auto file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0)
    return path + ": " + reason();
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      auto why = path + ": " + reason();
      close(file);
      return why;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      close(file);
      return std::string{lock_is_held};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  file_ = file;
  return std::nullopt;
}

void file_lock::release() noexcept {
  if (file_ >= 0)
    close(file_);
  file_ = -1;
}

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != name.npos)
    return is_program(name) ? std::optional{name} : std::nullopt;
  auto* variable = std::getenv("PATH");
  auto path = std::string{variable ? variable : ""} + ":/usr/sbin"
              + ":/usr/local/sbin";
  for (size_t at = 0; at <= path.size();) {
    auto end = std::min(path.find(':', at), path.size());
    auto candidate = path.substr(at, end - at) + "/" + name;
    if (end > at && is_program(candidate))
      return candidate;
    at = end + 1;
  }
  return std::nullopt;
}

uint64_t store_budget(const std::string& directory, uint64_t wanted) {
  struct statvfs facts;
  if (statvfs(directory.c_str(), &facts) != 0)
    return 0;
  auto free = uint64_t{facts.f_bavail} * facts.f_frsize;
  auto reachable = free + size_of_directory(directory);
  return std::min(wanted, reachable / 10 * 7);
}

uint64_t memory_budget(uint64_t wanted) {
  auto pages = sysconf(_SC_PHYS_PAGES);
  auto page_bytes = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0)
    return wanted;
  return std::min(wanted, static_cast<uint64_t>(pages)
                              * static_cast<uint64_t>(page_bytes) / 2);
}

bool is_free_port(uint16_t port) {
  return try_bind(port) != 0;
}

std::optional<uint16_t> choose_port(uint16_t preferred) {
  if (preferred != 0 && is_free_port(preferred))
    return preferred;
  auto port = try_bind(0);
  return port == 0 ? std::nullopt : std::optional{port};
}

std::optional<std::string> make_directory(const std::string& directory) {
  std::error_code problem;
  if (fs::create_directories(directory, problem))
    fs::permissions(directory, fs::perms::owner_all, problem);
  if (problem)
    return directory + ": " + problem.message();
  // The owner of a directory may write to it, or not: root may always, unless
  // the file system is read-only. Only trying tells.
  auto file = directory + "/.write-test";
  auto problem_of_write = write_file(file, "ok");
  unlink(file.c_str());
  return problem_of_write;
}

std::optional<std::string> write_file(const std::string& path,
                                      std::string_view content) {
  auto fresh = path + ".new";
  auto file
      = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0)
    return path + ": " + reason();
  auto written = write(file, content.data(), content.size());
  auto is_whole = written == static_cast<ssize_t>(content.size());
  // A short write has no error of its own; a full disk is what causes it.
  auto why = written < 0 ? reason() : std::strerror(ENOSPC);
  if (close(file) != 0 && is_whole) {
    is_whole = false;
    why = reason();
  }
  if (is_whole && rename(fresh.c_str(), path.c_str()) == 0)
    return std::nullopt;
  if (is_whole)
    why = reason();
  unlink(fresh.c_str());
  return path + ": " + why;
}

std::string file_tail(const std::string& path, size_t bytes_max) {
  std::ifstream in{path, std::ios::binary | std::ios::ate};
  if (!in)
    return {};
  auto size = static_cast<size_t>(in.tellg());
  auto wanted = std::min(size, bytes_max);
  std::string result(wanted, '\0');
  in.seekg(static_cast<std::streamoff>(size - wanted));
  in.read(result.data(), static_cast<std::streamsize>(wanted));
  result.resize(static_cast<size_t>(in.gcount()));
  return result;
}

} // namespace fantail
