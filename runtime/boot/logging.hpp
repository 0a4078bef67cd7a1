// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail {

enum class log_level : uint8_t { trace, debug, info, warn, error };

/// `text` is for people, `json` is one object per line for machines.
enum class log_format : uint8_t { text, json };

/// The level that `word` names, or nothing.
std::optional<log_level> parse_log_level(std::string_view word);

/// The format that `word` names, or nothing.
std::optional<log_format> parse_log_format(std::string_view word);

/// One named value of a log event. Numbers stay numbers in JSON.
struct log_field {
  std::string_view name;
  std::string value;
  bool is_number = false;

  log_field(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
  log_field(std::string_view n, std::string_view v) : name(n), value(v) {}
  log_field(std::string_view n, const char* v) : name(n), value(v) {}
  log_field(std::string_view n, bool v)
      : name(n), value(v ? "true" : "false"), is_number(true) {}
  log_field(std::string_view n, std::integral auto v)
      : name(n), value(std::to_string(v)), is_number(true) {}
  log_field(std::string_view n, std::floating_point auto v);
};

/// Sets what is logged and how; before it is called: info, as text. Colours
/// are used on a terminal only, and never when NO_COLOR is set. Any thread.
void configure_logging(log_level least, log_format format);

bool is_logged(log_level level) noexcept;

/// Writes one event to stderr, in one piece. `component` is a word of the
/// glossary; `event` is a stable name in kebab-case that docs/OPERATIONS.md
/// lists, and tests and alerts rely on; all that varies goes into `fields`.
/// Control characters in values are escaped, so that a value can never forge
/// a line. Payloads and secrets do not belong here. Any thread.
void log_event(log_level level, std::string_view component,
               std::string_view event,
               const std::vector<log_field>& fields = {});

/// The event as `log_event` would write it, without time and colours.
std::string render_event(log_format format, log_level level,
                         std::string_view component, std::string_view event,
                         const std::vector<log_field>& fields);

log_field::log_field(std::string_view n, std::floating_point auto v)
    : name(n), is_number(v - v == 0) {
  // Infinity and NaN are no JSON numbers and travel as text.
  value = std::to_string(v);
}

} // namespace fantail
