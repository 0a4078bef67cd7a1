// SPDX-License-Identifier: MIT
#pragma once

#include "bench/random.hpp"
#include "core/channel_list.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

/// A made-up world of users, channels and instances for benchmarks and load
/// generators (requirement A7). Everything follows from the seed, and a user
/// can be asked for alone, so a world of any size needs no memory.
namespace fantail::bench {

/// How users are spread over channels.
enum class membership_shape : uint8_t {
  /// Every user draws `channels_per_user` channels, all equally likely.
  uniform,
  /// 1 % of the channels have 10,000 to 100,000 members, 10 % have 100 to
  /// 1,000, the rest 2 to 100; never more than there are users.
  size_classes,
  /// Like uniform, but a channel has members on `spread` instances only:
  /// those of a world where users are placed near their channels.
  spread,
};

struct population_config {
  uint32_t users = 100'000;
  uint32_t channels = 500'000;
  uint16_t instances = 100;
  /// For the shapes uniform and spread.
  uint32_t channels_per_user = 1'000;
  membership_shape shape = membership_shape::uniform;
  /// For the shape spread.
  uint16_t spread = 5;
  uint64_t seed = 1;
  /// Members of channel 0 besides, on the first `hot_instances` instances.
  uint32_t hot_members = 0;
  uint16_t hot_instances = 0;
};

/// A name with its bytes inside, so that making one costs no allocation.
class short_name {
public:
  /// `prefix` and `number` with at least `digits` digits.
  short_name(std::string_view prefix, uint32_t number, unsigned digits);

  std::string_view view() const noexcept { return {text_, size_}; }
  operator std::string_view() const noexcept { return view(); }

private:
  char text_[24];
  uint8_t size_;
};

/// Thread safe: nothing changes after construction.
class population {
public:
  /// Zero users, channels or instances count as one.
  explicit population(population_config config);

  const population_config& config() const noexcept { return config_; }

  /// `usr_00000042`, `ch_00000042` and `notif-042`.
  static short_name user_name(uint32_t user) { return {"usr_", user, 8}; }
  static short_name channel_name(uint32_t channel) {
    return {"ch_", channel, 8};
  }
  static short_name instance_name(uint16_t instance) {
    return {"notif-", instance, 3};
  }

  static channel_list channel_names(const std::vector<uint32_t>& channels);

  /// User i lives on instance i mod N.
  uint16_t instance_of(uint32_t user) const noexcept {
    return static_cast<uint16_t>(user % config_.instances);
  }

  /// Replaces `channels` by the user's channels, ascending.
  void channels_of(uint32_t user, std::vector<uint32_t>& channels) const;

  /// Members the channel has on average; exact for the shape spread only up
  /// to rounding.
  double members_of(uint32_t channel) const noexcept;

  /// True if every channel has a member on exactly `spread` instances. For
  /// the shape spread, if there are users enough.
  bool has_exact_spread() const noexcept;

private:
  struct size_class {
    uint32_t begin;
    uint32_t end;
    uint32_t members_min;
    uint32_t members_max;
  };

  bool is_hot_member(uint32_t user) const noexcept;
  void draw_uniform(fast_random& random, std::vector<uint32_t>& out) const;
  void draw_classes(fast_random& random, std::vector<uint32_t>& out) const;
  void walk_spread(uint32_t user, std::vector<uint32_t>& out) const;
  uint32_t wanted_members(const size_class& x, uint32_t channel) const noexcept;
  uint32_t home_size(uint32_t home) const noexcept;
  uint32_t per_home() const noexcept;

  population_config config_;
  size_class classes_[3];
};

/// Draws channels for chat events: the channel with number k has the weight
/// 1 / (k + 1)^exponent. In the shape size_classes low numbers are the large
/// channels, so traffic follows size. Exponent 0 is uniform.
///
/// Source: W. Hörmann, G. Derflinger, "Rejection-inversion to generate
/// variates from monotone discrete distributions", ACM TOMACS 6(3), 1996.
class traffic_sampler {
public:
  /// REQUIRES: channels > 0, exponent >= 0.
  traffic_sampler(uint32_t channels, double exponent, uint64_t seed);

  uint32_t next();

private:
  double weight(double x) const;
  double integral(double x) const;
  double inverse_integral(double x) const;

  fast_random random_;
  uint32_t channels_;
  double exponent_;
  double integral_first_;
  double integral_last_;
  double shortcut_;
};

} // namespace fantail::bench
