// SPDX-License-Identifier: MIT
#include "runtime/boot/logging.hpp"

#include "core/json.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>

namespace fantail {

namespace {

constexpr std::array<std::string_view, 5> level_words
    = {"trace", "debug", "info", "warn", "error"};

spdlog::level::level_enum to_spdlog(log_level level) {
  switch (level) {
  case log_level::trace:
    return spdlog::level::trace;
  case log_level::debug:
    return spdlog::level::debug;
  case log_level::info:
    return spdlog::level::info;
  case log_level::warn:
    return spdlog::level::warn;
  default:
    return spdlog::level::err;
  }
}

std::string_view word_of(log_level level) {
  return level_words[static_cast<size_t>(level)];
}

/// Quotes and escapes a value for a text line unless it is a plain word.
std::string text_value(const std::string& value) {
  auto is_plain = !value.empty()
                  && value.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_-.:/+,@%")
                         == value.npos;
  return is_plain ? value : json::quote(value);
}

/// Where events go, and how. Replaced as a whole when the settings change, so
/// that a writer never sees half of them.
struct writer {
  log_format format;
  std::shared_ptr<spdlog::logger> out;
};

std::shared_ptr<const writer> make_writer(log_level least, log_format format) {
  auto* no_color = std::getenv("NO_COLOR");
  auto wants_color = format == log_format::text && isatty(STDERR_FILENO)
                     && !(no_color && *no_color);
  auto mode
      = wants_color ? spdlog::color_mode::always : spdlog::color_mode::never;
  auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(mode);
  auto out = std::make_shared<spdlog::logger>("fantail", std::move(sink));
  out->set_level(to_spdlog(least));
  // A log line is worth most right before a crash.
  out->flush_on(spdlog::level::trace);
  // %v brings its own level word in JSON, where the time is a member, too.
  out->set_pattern(format == log_format::text
                       ? "%Y-%m-%dT%H:%M:%S.%eZ %^%v%$"
                       : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v)",
                   spdlog::pattern_time_type::utc);
  return std::make_shared<const writer>(writer{format, std::move(out)});
}

std::mutex current_mutex;
std::shared_ptr<const writer> current;
std::atomic<log_level> least_level{log_level::info};

std::shared_ptr<const writer> current_writer() {
  std::lock_guard guard{current_mutex};
  if (!current)
    current = make_writer(least_level.load(), log_format::text);
  return current;
}

} // namespace

std::optional<log_level> parse_log_level(std::string_view word) {
  for (size_t i = 0; i < level_words.size(); ++i)
    if (level_words[i] == word)
      return static_cast<log_level>(i);
  return std::nullopt;
}

std::optional<log_format> parse_log_format(std::string_view word) {
  if (word == "text")
    return log_format::text;
  if (word == "json")
    return log_format::json;
  return std::nullopt;
}

void configure_logging(log_level least, log_format format) {
  auto fresh = make_writer(least, format);
  std::lock_guard guard{current_mutex};
  current = std::move(fresh);
  least_level = least;
}

bool is_logged(log_level level) noexcept {
  return level >= least_level.load(std::memory_order_relaxed);
}

void log_event(log_level level, std::string_view component,
               std::string_view event, const std::vector<log_field>& fields) {
  if (!is_logged(level))
    return;
  auto to = current_writer();
  auto line = render_event(to->format, level, component, event, fields);
  // The brace that opens a JSON line stands in the pattern, before the time.
  std::string_view rest = line;
  if (to->format == log_format::json)
    rest.remove_prefix(1);
  to->out->log(to_spdlog(level),
               spdlog::string_view_t{rest.data(), rest.size()});
}

std::string render_event(log_format format, log_level level,
                         std::string_view component, std::string_view event,
                         const std::vector<log_field>& fields) {
  std::string result;
  if (format == log_format::text) {
    auto word = word_of(level);
    result.append(word).append(6 - word.size(), ' ');
    result.append(component).append(" ").append(event);
    for (auto& x : fields)
      result.append(" ").append(x.name).append("=").append(text_value(x.value));
    return result;
  }
  result.append(R"({"level":")").append(word_of(level));
  result.append(R"(","component":)").append(json::quote(component));
  result.append(R"(,"event":)").append(json::quote(event));
  for (auto& x : fields)
    result.append(",")
        .append(json::quote(x.name))
        .append(":")
        .append(x.is_number ? x.value : json::quote(x.value));
  return result += "}";
}

} // namespace fantail
