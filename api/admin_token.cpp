// SPDX-License-Identifier: MIT
#include "api/admin_token.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace fantail {

namespace {

constexpr size_t token_bytes = 24;
constexpr size_t text_min = 16;
constexpr size_t text_max = 256;

std::string random_text() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, token_bytes> bytes{};
  size_t got = 0;
  while (got < bytes.size()) {
    auto more = ::getrandom(bytes.data() + got, bytes.size() - got, 0);
    if (more > 0)
      got += static_cast<size_t>(more);
  }
  std::string result;
  for (auto x : bytes) {
    result += digits[x >> 4];
    result += digits[x & 15];
  }
  return result;
}

std::string why() {
  return std::strerror(errno);
}

/// What is wrong, or nothing.
std::optional<std::string> create(const std::string& path) {
  auto file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
                     S_IRUSR | S_IWUSR);
  if (file < 0)
    return "cannot make " + path + ": " + why()
           + "; set admin.token-file, or make its directory writable";
  auto text = random_text() + "\n";
  auto written = ::write(file, text.data(), text.size());
  ::close(file);
  if (written == static_cast<ssize_t>(text.size()))
    return std::nullopt;
  auto reason = why();
  ::unlink(path.c_str());
  return "cannot write " + path + ": " + reason;
}

std::optional<std::string> read(const std::string& path) {
  auto file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return std::nullopt;
  std::string text(text_max + 2, '\0');
  auto size = ::read(file, text.data(), text.size());
  ::close(file);
  text.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  return text;
}

bool is_token_text(std::string_view text) {
  return text.size() >= text_min && text.size() <= text_max
         && std::ranges::all_of(text,
                                [](char c) { return c > ' ' && c <= '~'; });
}

} // namespace

std::variant<admin_token, std::string>
admin_token::open(const std::string& path, bool may_create) {
  auto text = read(path);
  if (!text && errno == ENOENT && may_create) {
    if (auto problem = create(path))
      return *problem;
    text = read(path);
  }
  if (!text)
    return "cannot read " + path + ": " + why()
           + "; put the token there, or leave admin.token-file empty";
  if (!is_token_text(*text))
    return path
           + " holds no token: one line of 16 to 256 visible characters "
             "without spaces; delete the file to have one made, or write one";
  return admin_token{path, std::move(*text)};
}

bool admin_token::is_readable_by_others() const {
  struct stat about {};
  return ::stat(path_.c_str(), &about) == 0 && (about.st_mode & S_IROTH) != 0;
}

bool admin_token::is_in(std::string_view header) const {
  constexpr std::string_view scheme = "Bearer ";
  if (!header.starts_with(scheme))
    return false;
  auto given = header.substr(scheme.size());
  unsigned difference = given.size() == text_.size() ? 0 : 1;
  for (size_t i = 0; i < text_.size(); ++i) {
    // Beyond the end of what was given, something is read all the same.
    auto c = given.empty() ? '\0' : given[std::min(i, given.size() - 1)];
    difference
        |= static_cast<unsigned char>(c) ^ static_cast<unsigned char>(text_[i]);
  }
  return difference == 0;
}

} // namespace fantail
