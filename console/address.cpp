// SPDX-License-Identifier: MIT
#include "console/address.hpp"

#include "console/format.hpp"
#include "console/text.hpp"

#include <algorithm>
#include <cctype>

namespace fantail::console {

namespace {

constexpr std::string_view http_scheme = "http://";

/// Bytes of a host name, or of an IPv6 address between its brackets.
bool is_host(std::string_view text, bool is_bracketed) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) || c == '.' || c == '-' || c == '_'
           || (is_bracketed && c == ':');
  });
}

} // namespace

std::string address::url() const {
  auto is_six = host.find(':') != host.npos;
  return std::string{http_scheme} + (is_six ? "[" + host + "]" : host) + ":"
         + std::to_string(port);
}

bool address::is_loopback() const {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::variant<address, std::string> parse_address(std::string_view url) {
  auto quoted = "\"" + printable(url) + "\"";
  auto rest = url;
  if (rest.starts_with("https://"))
    return quoted
           + ": the console speaks http only; for a node on another "
             "machine open a tunnel, e.g. ssh -L 7480:127.0.0.1:7480 HOST";
  if (rest.starts_with(http_scheme))
    rest.remove_prefix(http_scheme.size());
  if (rest.ends_with('/'))
    rest.remove_suffix(1);
  address result;
  auto is_bracketed = rest.starts_with('[');
  auto host_end = is_bracketed ? rest.find(']') : rest.find(':');
  auto host
      = rest.substr(is_bracketed ? 1 : 0, host_end - (is_bracketed ? 1 : 0));
  auto behind = host_end == rest.npos
                    ? std::string_view{}
                    : rest.substr(host_end + (is_bracketed ? 1 : 0));
  auto is_closed = !is_bracketed || host_end != rest.npos;
  auto port = behind.empty() ? std::optional<int64_t>{result.port}
              : behind.starts_with(':')
                  ? parse_whole(behind.substr(1), 1, 65535)
                  : std::nullopt;
  if (!is_closed || !is_host(host, is_bracketed) || !port)
    return quoted + " is no address of a node; write http://HOST:PORT";
  result.host = std::string{host};
  result.port = static_cast<uint16_t>(*port);
  return result;
}

std::string percent_encode(std::string_view text) {
  constexpr auto digits = "0123456789ABCDEF";
  std::string result;
  for (auto c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      result += c;
      continue;
    }
    result += '%';
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

} // namespace fantail::console
