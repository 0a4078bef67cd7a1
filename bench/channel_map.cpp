// SPDX-License-Identifier: MIT
#include "bench/channel_map.hpp"

#include "bench/population.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace fantail::bench {

namespace {

template <class T>
void write(std::ostream& out, const std::vector<T>& x) {
  uint64_t count = x.size();
  out.write(reinterpret_cast<const char*>(&count), sizeof count);
  out.write(reinterpret_cast<const char*>(x.data()),
            static_cast<std::streamsize>(count * sizeof(T)));
}

template <class T>
bool read(std::istream& in, std::vector<T>& x) {
  uint64_t count = 0;
  in.read(reinterpret_cast<char*>(&count), sizeof count);
  if (!in || count > UINT32_MAX)
    return false;
  x.resize(count);
  in.read(reinterpret_cast<char*>(x.data()),
          static_cast<std::streamsize>(count * sizeof(T)));
  return in.good();
}

} // namespace

std::optional<uint32_t> channel_number(std::string_view name) {
  constexpr std::string_view prefix = "ch_";
  if (!name.starts_with(prefix))
    return std::nullopt;
  uint32_t result = 0;
  auto* end = name.data() + name.size();
  auto [stop, error]
      = std::from_chars(name.data() + prefix.size(), end, result);
  if (error != std::errc{} || stop != end)
    return std::nullopt;
  return result;
}

channel_map::channel_map(const channel_placement& placement) {
  begins_.push_back(0);
  cells_.reserve(size_t{placement.channels} * placement.spread);
  for (uint32_t channel = 0; channel < placement.channels; ++channel) {
    for (uint16_t slot = 0; slot < placement.spread; ++slot)
      cells_.push_back(placement.instance_of(channel, slot));
    begins_.push_back(static_cast<uint32_t>(cells_.size()));
  }
}

channel_map::channel_map(const population& world) {
  auto& shape = world.config();
  auto width = size_t{shape.instances};
  std::vector<bool> has_member(shape.channels * width);
  std::vector<uint32_t> channels;
  for (uint32_t user = 0; user < shape.users; ++user) {
    world.channels_of(user, channels);
    for (auto channel : channels)
      has_member[channel * width + world.instance_of(user)] = true;
  }
  begins_.push_back(0);
  for (uint32_t channel = 0; channel < shape.channels; ++channel) {
    for (uint16_t i = 0; i < shape.instances; ++i)
      if (has_member[channel * width + i])
        cells_.push_back(i);
    begins_.push_back(static_cast<uint32_t>(cells_.size()));
  }
}

std::optional<channel_map> channel_map::load(const std::string& path) {
  channel_map result;
  std::ifstream in{path, std::ios::binary};
  if (!read(in, result.begins_) || !read(in, result.cells_))
    return std::nullopt;
  auto& begins = result.begins_;
  if (begins.empty() || begins.front() != 0
      || begins.back() != result.cells_.size()
      || !std::ranges::is_sorted(begins))
    return std::nullopt;
  return result;
}

bool channel_map::save(const std::string& path) const {
  std::ofstream out{path, std::ios::binary};
  write(out, begins_);
  write(out, cells_);
  out.close();
  return out.good();
}

double channel_map::spread() const noexcept {
  return static_cast<double>(cells_.size())
         / std::max(1.0, static_cast<double>(channels()));
}

} // namespace fantail::bench
