// SPDX-License-Identifier: MIT
#include "bench/floor_options.hpp"

#include <algorithm>
#include <charconv>

namespace fantail::bench {

namespace {

constexpr floor_output outputs[]
    = {floor_output::discard, floor_output::single, floor_output::frame};

template <class T>
bool read(std::string_view text, T& number) {
  auto* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end && number > 0;
}

bool read(std::string_view text, std::string& result) {
  result = text;
  return !text.empty();
}

bool read(std::string_view text, floor_output& result) {
  auto i = std::ranges::find_if(outputs,
                                [&](auto x) { return to_string(x) == text; });
  if (i == std::end(outputs))
    return false;
  result = *i;
  return true;
}

std::string write(const std::string& x) {
  return x;
}

std::string write(floor_output x) {
  return std::string{to_string(x)};
}

std::string write(uint32_t x) {
  return std::to_string(x);
}

/// Shows every option with its key to `visit`.
template <class Options, class Visit>
void visit_options(Options& x, Visit visit) {
  visit("url", x.url);
  visit("consumer", x.consumer);
  visit("shards", x.shards);
  visit("output", x.output);
  visit("channels", x.placement.channels);
  visit("instances", x.placement.instances);
  visit("spread", x.placement.spread);
  visit("map", x.map_path);
  visit("events-per-pull", x.events_per_pull);
  visit("frame-bytes", x.frame_bytes_max);
}

} // namespace

std::string_view to_string(floor_output x) {
  switch (x) {
  case floor_output::discard:
    return "discard";
  case floor_output::single:
    return "single";
  default:
    return "frame";
  }
}

std::vector<std::string> to_words(const floor_options& x) {
  std::vector<std::string> result;
  visit_options(x, [&](const char* key, const auto& value) {
    // A text that is empty is one that was not given.
    if (auto text = write(value); !text.empty())
      result.push_back(std::string{key} + "=" + text);
  });
  return result;
}

std::optional<floor_options>
floor_options_from(const std::vector<std::string>& words, std::string& why) {
  floor_options result;
  for (std::string_view word : words) {
    auto equals = word.find('=');
    auto key = word.substr(0, equals);
    auto value = equals == std::string_view::npos ? std::string_view{}
                                                  : word.substr(equals + 1);
    auto is_taken = false;
    visit_options(result, [&](std::string_view name, auto& slot) {
      if (name == key)
        is_taken = read(value, slot);
    });
    if (!is_taken) {
      why = "not understood: " + std::string{word};
      return std::nullopt;
    }
  }
  if (result.placement.spread > result.placement.instances) {
    why = "spread exceeds the number of instances";
    return std::nullopt;
  }
  return result;
}

} // namespace fantail::bench
