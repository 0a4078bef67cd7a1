// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fantail::bench {

/// What a figure has to be.
struct target {
  enum class kind : uint8_t {
    at_most,
    at_least,
    /// The figure divided by the floor's.
    ratio_at_most,
    ratio_at_least,
  };

  kind what = kind::at_most;
  double bound = 0;

  bool is_ratio() const noexcept {
    return what == kind::ratio_at_most || what == kind::ratio_at_least;
  }
};

enum class verdict : uint8_t {
  met,
  missed,
  /// The figure says nothing about Fantail, for a reason the report tells.
  invalid,
  /// There is no target.
  told,
};

std::string_view to_string(verdict x);

/// One figure, a row of the table. Figures of several pairs are medians.
struct finding {
  std::string bench;
  std::string what;
  std::optional<double> floor;
  std::optional<double> fantail;
  std::optional<target> goal;
  /// Decimals that mean something.
  int decimals = 2;

  /// Fantail's figure divided by the floor's.
  std::optional<double> ratio() const;
};

/// Everything one benchmark found out, and under which conditions.
struct bench_report {
  std::string bench;
  /// Rate, spread, bytes, storage, format, versions: what the figures mean.
  json::object conditions;
  std::vector<finding> findings;
  /// Reasons why none of the figures counts.
  std::vector<std::string> invalid;
  /// Reasons why comparisons with the floor do not count.
  std::vector<std::string> invalid_comparison;
  /// What people should know besides.
  std::vector<std::string> remarks;
  /// Every single measurement.
  json::array runs;
};

verdict judge(const finding& x, const bench_report& in);

/// Exit codes of `fantail bench`.
namespace bench_exit {
inline constexpr int ok = 0;
inline constexpr int failed = 1;
inline constexpr int invalid = 97;
inline constexpr int missed = 99;
} // namespace bench_exit

/// A missed target outweighs an invalid figure.
int exit_code(const std::vector<bench_report>& reports);

/// The middle one, or the mean of the two middle ones; 0 if there are none.
double median(std::vector<double> values);

/// Whether the generator kept its times well enough to be believed: the p99 of
/// its lateness is at most a tenth of the measured p99, or 5 ms where that is
/// more. Returns the reason if not.
std::optional<std::string> lateness_problem(double lateness_p99_ms,
                                            double measured_p99_ms);

/// Whether `floor_first` in pair number `pair`: pairs are interleaved ABBA, so
/// that a drift of the machine hits both sides alike.
constexpr bool floor_is_first(unsigned pair) {
  return pair % 2 == 0;
}

/// The table, with conditions above and reasons below it.
std::string render_table(const std::vector<bench_report>& reports,
                         bool with_colors);

json::value to_json(const bench_report& x);

} // namespace fantail::bench
