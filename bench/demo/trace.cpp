// SPDX-License-Identifier: MIT
#include "bench/demo/trace.hpp"

#include <zlib.h>

#include <charconv>
#include <string_view>

namespace fantail::demo {

namespace {

constexpr std::string_view header = "t_ms,kind,channel,user,bytes";

/// Cuts the text up to the next comma from the front of `rest`.
std::string_view take_field(std::string_view& rest) {
  auto comma = rest.find(',');
  auto result = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return result;
}

template <class T>
bool parse_number(std::string_view text, T& value) {
  auto* end = text.data() + text.size();
  auto [stop, problem] = std::from_chars(text.data(), end, value);
  return problem == std::errc{} && stop == end;
}

bool parse_numbered(std::string_view text, std::string_view prefix,
                    uint32_t& value) {
  return text.starts_with(prefix)
         && parse_number(text.substr(prefix.size()), value);
}

bool parse_kind(std::string_view text, trace_row::kind& value) {
  if (text == "msg")
    value = trace_row::kind::message;
  else if (text == "join")
    value = trace_row::kind::join;
  else if (text == "leave")
    value = trace_row::kind::leave;
  else
    return false;
  return true;
}

} // namespace

std::optional<trace_row> parse_trace_row(std::string_view line) {
  trace_row result;
  auto good = parse_number(take_field(line), result.at_ms)
              && parse_kind(take_field(line), result.what)
              && parse_numbered(take_field(line), "ch_", result.channel)
              && parse_numbered(take_field(line), "usr_", result.user)
              && parse_number(take_field(line), result.bytes) && line.empty();
  return good ? std::optional{result} : std::nullopt;
}

// -- trace_reader
// ----------------------------------------------------------------

struct trace_reader::file {
  gzFile handle;

  explicit file(gzFile x) : handle(x) {}
  ~file() { gzclose(handle); }
};

std::unique_ptr<trace_reader> trace_reader::open(const std::string& path,
                                                 std::string& why) {
  auto handle = gzopen(path.c_str(), "rb");
  if (!handle) {
    why = path + " cannot be opened";
    return nullptr;
  }
  std::unique_ptr<trace_reader> result{
      new trace_reader{std::make_unique<file>(handle)}};
  std::string line;
  if (!result->read_line(line) || line != header) {
    why = path + " is no trace: its first line is not \"" + std::string{header}
          + "\"";
    return nullptr;
  }
  return result;
}

trace_reader::trace_reader(std::unique_ptr<file> opened)
    : file_(std::move(opened)) {
  // nop
}

trace_reader::~trace_reader() = default;

bool trace_reader::read_line(std::string& line) {
  char buffer[256];
  if (!gzgets(file_->handle, buffer, sizeof buffer)) {
    int code = Z_OK;
    auto* text = gzerror(file_->handle, &code);
    if (code != Z_OK && code != Z_STREAM_END)
      problem_ = text;
    return false;
  }
  ++line_number_;
  line = buffer;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.pop_back();
  return true;
}

std::optional<trace_row> trace_reader::next() {
  std::string line;
  if (!problem_.empty() || !read_line(line))
    return std::nullopt;
  auto result = parse_trace_row(line);
  if (!result)
    problem_ = "line " + std::to_string(line_number_) + " is no row of a trace";
  return result;
}

void trace_reader::rewind() {
  gzrewind(file_->handle);
  line_number_ = 0;
  std::string line;
  read_line(line);
}

// -- playlist
// --------------------------------------------------------------------

playlist::playlist(trace_reader& trace, playlist_options options)
    : trace_(trace), options_(options) {
  // nop
}

std::optional<trace_row> playlist::next_original() {
  auto row = trace_.next();
  if (!row && options_.forever && last_at_ms_ > begun_at_ms_) {
    begun_at_ms_ = last_at_ms_;
    trace_.rewind();
    row = trace_.next();
  }
  if (row) {
    row->at_ms += begun_at_ms_;
    last_at_ms_ = row->at_ms;
  }
  return row;
}

std::optional<trace_row> playlist::next() {
  if (copy_ == 0 || copy_ >= options_.scale) {
    current_ = next_original();
    copy_ = 0;
  }
  if (!current_)
    return std::nullopt;
  auto result = *current_;
  result.channel += copy_ * channels_per_copy;
  result.user += copy_ * users_per_copy;
  ++copy_;
  return result;
}

} // namespace fantail::demo
