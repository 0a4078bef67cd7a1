// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/boot/node_config.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace fantail {

/// What a key holds, and how its value is written.
enum class key_kind : uint8_t {
  text,  ///< "double quotes"
  word,  ///< one of a few 'words'
  flag,  ///< true or false
  count, ///< a whole number
  bytes, ///< a whole number of bytes, or "16MiB"
  time,  ///< a number with its unit: 500ms
};

/// Where a key's value lives.
using config_slot = std::variant<std::string*, bool*, uint16_t*, uint32_t*,
                                 uint64_t*, duration*>;

/// One row of the table that the validator, the generated file and the
/// documentation share.
struct config_key {
  std::string_view name;
  key_kind kind;
  config_slot (*slot)(node_config&);
  /// Range of a count, of bytes, of a time in nanoseconds, or of a text's
  /// length; both ends included.
  int64_t min = 0;
  int64_t max = 0;
  /// The choices of a word, separated by spaces.
  std::string_view words = {};
  std::string_view doc;
  /// A further condition on a text and how to call it, or nullptr.
  bool (*is_valid)(std::string_view) = nullptr;
  std::string_view valid_form = {};
};

/// All keys, grouped by section.
std::span<const config_key> config_keys();

/// The key of that name, or nullptr.
const config_key* find_key(std::string_view name);

/// The name nearest to a misspelt one, or nothing when none resembles it.
std::optional<std::string_view> nearest_key(std::string_view name);

/// A value as a file or a command line gave it, before it met its key.
struct config_word {
  std::string text;
};
using raw_value
    = std::variant<std::monostate, bool, int64_t, double, std::string,
                   config_word, std::chrono::nanoseconds>;

/// Reads `text` of a command line, where quotes are optional, as a value for
/// `key`.
raw_value read_value(const config_key& key, std::string_view text);

/// Stores `value` in `config`, or returns what is wrong with it.
std::optional<std::string> assign(const config_key& key, const raw_value& value,
                                  node_config& config);

/// The value of `key` as a configuration file writes it.
std::string render_value(const config_key& key, const node_config& config);

/// What the key allows, as a phrase: "a whole number from 1 to 64".
std::string allowed(const config_key& key);

} // namespace fantail
