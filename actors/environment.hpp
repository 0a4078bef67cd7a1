// SPDX-License-Identifier: MIT
#pragma once

#include "actors/place.hpp"
#include "core/clock.hpp"
#include "core/instance_directory.hpp"
#include "core/ports.hpp"
#include "core/report.hpp"
#include "core/telemetry.hpp"

namespace fantail {

/// What every actor of a node may use. All of it is thread safe and outlives
/// the actors.
struct environment {
  const clock_port* clock = nullptr;
  report_port* reports = nullptr;
  control_port* control = nullptr;
  telemetry::node* counts = nullptr;
  instance_directory* instances = nullptr;
  /// Where the actor sits, if it is supervised: of each its own.
  place seat{};
};

} // namespace fantail
