// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// JSON behind one small door: the library's headers stay in json.cpp.
namespace fantail::json {

/// Receives the parts of a document as they are read. A handler returns false
/// to stop; the parse then fails with the reason the handler kept.
class visitor {
public:
  virtual ~visitor() = default;
  virtual bool on_object_begin() = 0;
  virtual bool on_object_end() = 0;
  virtual bool on_array_begin() = 0;
  virtual bool on_array_end() = 0;
  /// Views are valid during the call only.
  virtual bool on_key(std::string_view key) = 0;
  virtual bool on_string(std::string_view value) = 0;
  virtual bool on_int(int64_t value) = 0;
  virtual bool on_double(double value) = 0;
  virtual bool on_bool(bool value) = 0;
  virtual bool on_null() = 0;
};

/// Reads one document, nothing before or behind it but white space. Returns
/// what is wrong, or nothing. Nesting is bounded by limits::json_depth_max;
/// invalid UTF-8 is an error.
std::optional<std::string> parse(std::string_view text, visitor& out);

/// A JSON value for the control plane: small documents, convenience over
/// speed. Objects keep their keys sorted, so output is reproducible.
class value {
public:
  using array = std::vector<value>;
  using object = std::map<std::string, value, std::less<>>;

  value() = default;
  value(std::nullptr_t) {}
  value(bool x) : data_(x) {}
  value(double x) : data_(x) {}
  value(int x) : data_(int64_t{x}) {}
  value(unsigned x) : data_(int64_t{x}) {}
  value(int64_t x) : data_(x) {}
  value(uint64_t x) : data_(static_cast<int64_t>(x)) {}
  value(uint16_t x) : data_(int64_t{x}) {}
  value(const char* x) : data_(std::string{x}) {}
  value(std::string_view x) : data_(std::string{x}) {}
  value(std::string x) : data_(std::move(x)) {}
  value(array x) : data_(std::move(x)) {}
  value(object x) : data_(std::move(x)) {}

  /// The member `key`, or nullptr if this is no object or has no such member.
  const value* find(std::string_view key) const;

  const bool* if_bool() const { return std::get_if<bool>(&data_); }
  const int64_t* if_int() const { return std::get_if<int64_t>(&data_); }
  const std::string* if_string() const {
    return std::get_if<std::string>(&data_);
  }
  const array* if_array() const { return std::get_if<array>(&data_); }
  const object* if_object() const { return std::get_if<object>(&data_); }
  /// A number of either kind.
  std::optional<double> as_double() const;
  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }

  /// Member access with a fallback for an absent or ill-typed member.
  int64_t int_or(std::string_view key, int64_t fallback) const;
  std::string string_or(std::string_view key, std::string fallback) const;
  bool bool_or(std::string_view key, bool fallback) const;

  bool operator==(const value&) const = default;

private:
  friend std::string serialize(const value&, bool);

  std::variant<std::monostate, bool, int64_t, double, std::string, array,
               object>
      data_;
};

using object = value::object;
using array = value::array;

/// Reads one document. Returns nothing, and what is wrong in `why`, if it is
/// malformed.
std::optional<value> parse(std::string_view text, std::string* why = nullptr);

/// Compact text, or indented by two spaces for people.
std::string serialize(const value& x, bool pretty = false);

/// `text` as a JSON string literal with its quotes.
std::string quote(std::string_view text);

} // namespace fantail::json
