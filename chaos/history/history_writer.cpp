// SPDX-License-Identifier: MIT
#include "chaos/history/history_writer.hpp"

#include "chaos/history/line_format.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace fantail::chaos {

namespace {

constexpr size_t piece_bytes = 256 * 1024;

} // namespace

std::variant<std::unique_ptr<history_writer>, std::string>
history_writer::create(const std::string& path, const history_head& head) {
  auto flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC;
  auto file = ::open(path.c_str(), flags, 0644);
  if (file < 0)
    return "cannot create the history " + path + ": " + std::strerror(errno)
           + (errno == EEXIST ? " (none is ever overwritten)" : "");
  std::unique_ptr<history_writer> result{new history_writer{file}};
  append_line(result->buffer_, head);
  result->flush();
  if (!result->problem_.empty())
    return path + ": " + result->problem_;
  return result;
}

history_writer::history_writer(int file) : file_(file) {
  buffer_.reserve(piece_bytes + 4096);
}

history_writer::~history_writer() {
  flush();
  ::close(file_);
}

void history_writer::write(const timed_record& x) {
  append_line(buffer_, x);
  if (buffer_.size() >= piece_bytes)
    flush();
}

void history_writer::flush() {
  std::string_view rest{buffer_};
  while (!rest.empty() && problem_.empty()) {
    auto written = ::write(file_, rest.data(), rest.size());
    if (written >= 0)
      rest.remove_prefix(static_cast<size_t>(written));
    else if (errno != EINTR)
      problem_ = std::strerror(errno);
  }
  buffer_.clear();
}

} // namespace fantail::chaos
