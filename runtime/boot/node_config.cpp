// SPDX-License-Identifier: MIT
#include "runtime/boot/node_config.hpp"

#include "runtime/boot/config_keys.hpp"
#include "runtime/boot/config_scan.hpp"

#include "caf/actor_system_config.hpp"
#include "caf/config_option_set.hpp"
#include "caf/settings.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <type_traits>

namespace fantail {

namespace {

using problems = std::vector<config_problem>;

constexpr const char* override_origin = "--set";

/// CAF's own default of four makes two cores quarrel over one queue; with a
/// single worker a handler that hangs would stop everything.
constexpr size_t workers_min = 2;

/// CAF's value as ours. Lists and URIs, which no key takes, become nothing.
raw_value to_raw(const caf::config_value& value) {
  if (auto* x = caf::get_if<bool>(&value))
    return *x;
  if (auto* x = caf::get_if<int64_t>(&value))
    return *x;
  if (auto* x = caf::get_if<double>(&value))
    return *x;
  if (auto* x = caf::get_if<std::string>(&value))
    return *x;
  if (auto* x = caf::get_if<caf::timespan>(&value))
    return *x;
  if (auto* x = caf::get_if<caf::atom_value>(&value))
    return config_word{caf::to_string(*x)};
  return std::monostate{};
}

config_problem unknown(std::string origin, std::string name,
                       std::string value) {
  std::string what = "there is no such key";
  if (auto near = nearest_key(name))
    what.append("; did you mean ").append(*near).append("?");
  return {std::move(origin), std::move(name), std::move(value),
          std::move(what)};
}

/// Stores every value of a parsed file; dictionaries are sections.
void take_section(const std::string& origin, const std::string& prefix,
                  const caf::settings& section, node_config& config,
                  problems& out) {
  for (auto& [key_name, value] : section) {
    // CAF files everything outside of a [section] under "global".
    auto is_global = prefix.empty() && key_name == "global";
    auto name = is_global ? std::string{} : prefix + key_name;
    if (auto* nested = caf::get_if<caf::settings>(&value)) {
      take_section(origin, is_global ? name : name + ".", *nested, config, out);
      continue;
    }
    auto text = caf::to_string(value);
    auto* key = find_key(name);
    if (!key)
      out.push_back(unknown(origin, name, text));
    else if (auto what = assign(*key, to_raw(value), config))
      out.push_back({origin, name, text, *what});
  }
}

/// CAF's reason with its place, which it hides in the error's context.
std::string describe(const caf::error& why) {
  auto result = caf::to_string(static_cast<caf::pec>(why.code()));
  auto& context = why.context();
  if (context.size() != 1 || !context.match_element<caf::settings>(0))
    return result;
  auto& place = context.get_as<caf::settings>(0);
  auto number = [&](const char* name) {
    return std::to_string(caf::get_or(place, name, int64_t{0}));
  };
  return "line " + number("line") + ", column " + number("column") + ": "
         + result;
}

std::optional<std::string> read_file(const std::string& path,
                                     std::string& text) {
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return std::string{"cannot be read: "} + std::strerror(errno);
  text.resize(config_file_bytes_max + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad())
    return std::string{"cannot be read: "} + std::strerror(errno);
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > config_file_bytes_max)
    return "is larger than any configuration file";
  return std::nullopt;
}

void take_file(const std::string& path, node_config& config, problems& out) {
  std::string text;
  if (auto what = read_file(path, text)) {
    out.push_back({path, "", "", *what});
    return;
  }
  if (auto trap = scan_config(text)) {
    out.push_back({path, "", "", *trap});
    return;
  }
  std::istringstream in{text};
  auto parsed = caf::actor_system_config::parse_config(in);
  if (!parsed) {
    auto why = "is not in CAF's grammar: " + describe(parsed.error());
    out.push_back({path, "", "", why});
    return;
  }
  take_section(path, "", *parsed, config, out);
}

void take_override(const std::string& text, node_config& config,
                   problems& out) {
  auto equals = text.find('=');
  if (equals == text.npos) {
    out.push_back({override_origin, text, "", "is not of the form key=value"});
    return;
  }
  auto name = text.substr(0, equals);
  auto value = text.substr(equals + 1);
  auto* key = find_key(name);
  if (!key)
    out.push_back(unknown(override_origin, name, value));
  else if (auto what = assign(*key, read_value(*key, value), config))
    out.push_back({override_origin, name, value, *what});
}

bool is_loopback(std::string_view address) {
  return address == "localhost" || address == "::1"
         || address.starts_with("127.");
}

} // namespace

std::string to_string(const config_problem& x) {
  auto result = x.origin;
  if (!x.key.empty())
    result += (result.empty() ? "" : ": ") + x.key;
  if (!x.value.empty())
    result += " = " + x.value;
  return result += (result.empty() ? "" : ": ") + x.what;
}

std::variant<node_config, std::vector<config_problem>>
load(const std::string& path, const std::vector<std::string>& overrides) {
  node_config config;
  problems found;
  if (!path.empty())
    take_file(path, config, found);
  for (auto& text : overrides)
    take_override(text, config, found);
  // Combinations of values that were refused one by one say nothing.
  if (found.empty())
    found = check_combinations(config);
  if (!found.empty())
    return found;
  return config;
}

std::vector<config_problem> check_combinations(const node_config& config) {
  problems result;
  auto require = [&](bool good, const char* name, const char* what) {
    if (!good)
      result.push_back({"", name, render_value(*find_key(name), config), what});
  };
  auto& tls = config.nats.tls;
  require(is_loopback(config.http.address), "http.address",
          "reaches other machines, and the admin API has no TLS, so its token "
          "would travel in the clear; use 127.0.0.1 and let a proxy with TLS "
          "or an SSH tunnel reach it");
  require(config.presence.ttl >= 3 * config.presence.heartbeat_interval,
          "presence.heartbeat-interval",
          "is more than a third of presence.ttl: sessions would expire "
          "between two heartbeats");
  require(config.middleman.connection_timeout
              >= 2 * config.middleman.heartbeat_interval,
          "middleman.connection-timeout",
          "is less than twice middleman.heartbeat-interval: healthy links "
          "would be cut");
  require(config.outbox.frame_bytes <= config.outbox.window_bytes,
          "outbox.frame-bytes", "is more than outbox.window-bytes");
  require(config.nats.stream_bytes_max <= config.nats.store_bytes_max,
          "nats.stream-bytes-max", "is more than nats.store-bytes-max");
  require(config.nats.duplicate_window <= config.nats.retention,
          "nats.duplicate-window",
          "is longer than nats.retention, and NATS refuses that");
  require(tls.certificate.empty() == tls.key.empty(), "nats.tls.key",
          "needs nats.tls.certificate, and the other way round");
  require(tls.enabled || (tls.certificate.empty() && tls.authority.empty()),
          "nats.tls.enabled",
          "while certificates are set: they would not be used");
  require(!config.nats.url.empty()
              || (!tls.enabled && config.nats.credentials.empty()),
          "nats.url",
          "while nats.credentials or nats.tls.enabled is set: they are for a "
          "server of your own");
  return result;
}

std::optional<std::string> apply(const node_config& config,
                                 caf::actor_system_config& system) {
  auto ns = [](duration x) {
    return std::chrono::duration_cast<caf::timespan>(x);
  };
  auto policy = caf::atom_from_string(config.scheduler.policy);
  auto throughput = size_t{config.scheduler.max_throughput};
  auto heartbeat = ns(config.middleman.heartbeat_interval);
  auto timeout = ns(config.middleman.connection_timeout);
  system.set("scheduler.policy", policy);
  system.set("scheduler.max-throughput", throughput);
  system.set("middleman.heartbeat-interval", heartbeat);
  system.set("middleman.connection-timeout", timeout);
  auto threads = size_t{config.scheduler.max_threads};
  if (threads == 0)
    threads
        = std::max(workers_min, size_t{std::thread::hardware_concurrency()});
  system.set("scheduler.max-threads", threads);
  auto holds = [&](const char* name, const auto& wanted) {
    using type = std::decay_t<decltype(wanted)>;
    auto got = caf::get_if<type>(&system, name);
    return got && *got == wanted;
  };
  if (!holds("scheduler.policy", policy))
    return "scheduler.policy";
  if (!holds("scheduler.max-throughput", throughput))
    return "scheduler.max-throughput";
  if (!holds("scheduler.max-threads", threads))
    return "scheduler.max-threads";
  if (!holds("middleman.heartbeat-interval", heartbeat))
    return "middleman.heartbeat-interval";
  if (!holds("middleman.connection-timeout", timeout))
    return "middleman.connection-timeout";
  return std::nullopt;
}

} // namespace fantail
