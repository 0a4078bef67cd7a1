// SPDX-License-Identifier: MIT
#include "chaos/history/history_reader.hpp"

#include "chaos/history/line_format.hpp"

#include <cerrno>
#include <cstring>

namespace fantail::chaos {

history_reader::history_reader(const std::string& path)
    : path_(path), file_(path) {
  // nop
}

std::variant<std::unique_ptr<history_reader>, std::string>
history_reader::open(const std::string& path) {
  errno = 0;
  std::unique_ptr<history_reader> result{new history_reader{path}};
  auto& line = result->line_;
  if (!result->file_ || !std::getline(result->file_, line))
    return "cannot read the history " + path
           + (errno != 0 ? ": " + std::string{std::strerror(errno)} : "");
  result->line_number_ = 1;
  std::string why;
  auto head = parse_head(line, why);
  if (!head)
    return path + ":1: " + why;
  result->head_ = std::move(*head);
  return result;
}

std::optional<timed_record> history_reader::next() {
  if (is_over_ || !std::getline(file_, line_)) {
    is_over_ = true;
    return std::nullopt;
  }
  ++line_number_;
  auto where = path_ + ":" + std::to_string(line_number_) + ": ";
  // A line without its break was not finished, even if it looks whole.
  if (file_.eof()) {
    cut_ = where + "the line is cut";
    is_over_ = true;
    return std::nullopt;
  }
  std::string why;
  auto result = parse_record(line_, why);
  if (result && result->at < last_) {
    why = "time runs backwards";
    result.reset();
  } else if (!result) {
    auto is_last = file_.peek() == std::ifstream::traits_type::eof();
    (is_last ? cut_ : problem_) = where + why;
    is_over_ = true;
    return std::nullopt;
  }
  if (!result) {
    problem_ = where + why;
    is_over_ = true;
    return std::nullopt;
  }
  last_ = result->at;
  return result;
}

} // namespace fantail::chaos
