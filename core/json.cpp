// SPDX-License-Identifier: MIT
#include "core/json.hpp"

#include "core/limits.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace fantail::json {

namespace {

namespace bj = boost::json;

/// Adapts a visitor to the handler concept of boost::json::basic_parser,
/// which hands long strings out in pieces.
struct handler {
  static constexpr size_t max_object_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_array_size = max_object_size;
  static constexpr size_t max_key_size = max_object_size;
  static constexpr size_t max_string_size = max_object_size;

  visitor* out;
  std::string pieces;

  explicit handler(visitor* v) : out(v) {}

  static bool check(bool ok, bj::error_code& ec) {
    if (!ok)
      ec = bj::error::exception;
    return ok;
  }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }

  bool on_object_begin(bj::error_code& ec) {
    return check(out->on_object_begin(), ec);
  }
  bool on_object_end(size_t, bj::error_code& ec) {
    return check(out->on_object_end(), ec);
  }
  bool on_array_begin(bj::error_code& ec) {
    return check(out->on_array_begin(), ec);
  }
  bool on_array_end(size_t, bj::error_code& ec) {
    return check(out->on_array_end(), ec);
  }

  bool on_key_part(bj::string_view text, size_t, bj::error_code&) {
    pieces.append(text.data(), text.size());
    return true;
  }
  bool on_key(bj::string_view text, size_t, bj::error_code& ec) {
    return check(out->on_key(whole(text)), ec) && drop_pieces();
  }
  bool on_string_part(bj::string_view text, size_t, bj::error_code&) {
    pieces.append(text.data(), text.size());
    return true;
  }
  bool on_string(bj::string_view text, size_t, bj::error_code& ec) {
    return check(out->on_string(whole(text)), ec) && drop_pieces();
  }

  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(int64_t x, bj::string_view, bj::error_code& ec) {
    return check(out->on_int(x), ec);
  }
  bool on_uint64(uint64_t x, bj::string_view, bj::error_code& ec) {
    return check(out->on_double(static_cast<double>(x)), ec);
  }
  bool on_double(double x, bj::string_view, bj::error_code& ec) {
    return check(out->on_double(x), ec);
  }
  bool on_bool(bool x, bj::error_code& ec) {
    return check(out->on_bool(x), ec);
  }
  bool on_null(bj::error_code& ec) { return check(out->on_null(), ec); }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

private:
  std::string_view whole(bj::string_view text) {
    if (pieces.empty())
      return {text.data(), text.size()};
    pieces.append(text.data(), text.size());
    return pieces;
  }

  bool drop_pieces() {
    pieces.clear();
    return true;
  }
};

/// Builds a value from the parts of a document.
class builder final : public visitor {
public:
  value result;

  bool on_object_begin() override { return open(value{object{}}); }
  bool on_object_end() override { return close(); }
  bool on_array_begin() override { return open(value{array{}}); }
  bool on_array_end() override { return close(); }
  bool on_key(std::string_view key) override {
    frames_.back().key = key;
    return true;
  }
  bool on_string(std::string_view x) override { return put(value{x}); }
  bool on_int(int64_t x) override { return put(value{x}); }
  bool on_double(double x) override { return put(value{x}); }
  bool on_bool(bool x) override { return put(value{x}); }
  bool on_null() override { return put(value{}); }

private:
  struct level {
    value container;
    std::string key;
  };

  bool open(value container) {
    frames_.push_back({std::move(container), {}});
    return true;
  }

  bool close() {
    auto done = std::move(frames_.back().container);
    frames_.pop_back();
    return put(std::move(done));
  }

  bool put(value x) {
    if (frames_.empty()) {
      result = std::move(x);
      return true;
    }
    auto& top = frames_.back();
    if (auto* list = top.container.if_array())
      const_cast<array*>(list)->push_back(std::move(x));
    else if (auto* members = top.container.if_object())
      (*const_cast<object*>(members))[top.key] = std::move(x);
    return true;
  }

  std::vector<level> frames_;
};

void indent(std::string& out, bool pretty, int depth) {
  if (!pretty)
    return;
  out += '\n';
  out.append(static_cast<size_t>(depth) * 2, ' ');
}

void append(std::string& out, const value& x, bool pretty, int depth) {
  if (auto* flag = x.if_bool()) {
    out += *flag ? "true" : "false";
  } else if (auto* number = x.if_int()) {
    out += std::to_string(*number);
  } else if (auto* text = x.if_string()) {
    out += quote(*text);
  } else if (auto* list = x.if_array()) {
    out += '[';
    for (auto* separator = ""; auto& item : *list) {
      out += separator;
      indent(out, pretty, depth + 1);
      append(out, item, pretty, depth + 1);
      separator = ",";
    }
    if (!list->empty())
      indent(out, pretty, depth);
    out += ']';
  } else if (auto* members = x.if_object()) {
    out += '{';
    for (auto* separator = ""; auto& [key, item] : *members) {
      out += separator;
      indent(out, pretty, depth + 1);
      out += quote(key);
      out += pretty ? ": " : ":";
      append(out, item, pretty, depth + 1);
      separator = ",";
    }
    if (!members->empty())
      indent(out, pretty, depth);
    out += '}';
  } else if (auto number = x.as_double(); number && std::isfinite(*number)) {
    std::array<char, 32> digits{};
    auto end = std::to_chars(digits.begin(), digits.end(), *number).ptr;
    out.append(digits.begin(), end);
  } else {
    out += "null";
  }
}

} // namespace

std::optional<std::string> parse(std::string_view text, visitor& out) {
  bj::parse_options options;
  options.max_depth = limits::json_depth_max;
  bj::basic_parser<handler> parser{options, &out};
  bj::error_code ec;
  auto used = parser.write_some(false, text.data(), text.size(), ec);
  if (ec)
    return ec.message() + " at byte " + std::to_string(used);
  if (used < text.size())
    return "unexpected text at byte " + std::to_string(used);
  return std::nullopt;
}

const value* value::find(std::string_view key) const {
  auto* members = if_object();
  if (!members)
    return nullptr;
  auto i = members->find(key);
  return i == members->end() ? nullptr : &i->second;
}

std::optional<double> value::as_double() const {
  if (auto* x = std::get_if<double>(&data_))
    return *x;
  if (auto* x = if_int())
    return static_cast<double>(*x);
  return std::nullopt;
}

int64_t value::int_or(std::string_view key, int64_t fallback) const {
  auto* member = find(key);
  auto* number = member ? member->if_int() : nullptr;
  return number ? *number : fallback;
}

std::string value::string_or(std::string_view key, std::string fallback) const {
  auto* member = find(key);
  auto* text = member ? member->if_string() : nullptr;
  if (text)
    return *text;
  return fallback;
}

bool value::bool_or(std::string_view key, bool fallback) const {
  auto* member = find(key);
  auto* flag = member ? member->if_bool() : nullptr;
  return flag ? *flag : fallback;
}

std::optional<value> parse(std::string_view text, std::string* why) {
  builder out;
  if (auto problem = parse(text, out)) {
    if (why)
      *why = *problem;
    return std::nullopt;
  }
  return std::move(out.result);
}

std::string serialize(const value& x, bool pretty) {
  std::string result;
  append(result, x, pretty, 0);
  return result;
}

std::string quote(std::string_view text) {
  return bj::serialize(bj::string_view{text.data(), text.size()});
}

} // namespace fantail::json
