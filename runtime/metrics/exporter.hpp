// SPDX-License-Identifier: MIT
#pragma once

#include "core/instance_directory.hpp"
#include "core/telemetry.hpp"

#include <memory>
#include <string>

namespace fantail {

/// Shows what a node counts to Prometheus. It reads the telemetry when asked
/// and otherwise costs nothing: no metric objects are kept, and the actors do
/// not know of it. All names, labels and buckets are in the .cpp and are a
/// contract (requirement A3). Labels come from fixed sets and from instance
/// names; never from channels or users, of which there are millions.
///
/// Counters never fall as long as the node lives, though they are read while
/// others write. A bucket may miss values that are at most 1/32 below its
/// border. Thread safe.
class exporter {
public:
  /// REQUIRES: both outlive the exporter.
  exporter(const telemetry::node& counts, const instance_directory& instances);
  ~exporter();
  exporter(const exporter&) = delete;
  exporter& operator=(const exporter&) = delete;

  static constexpr const char* content_type
      = "text/plain; version=0.0.4; charset=utf-8";

  /// Everything in the text format 0.0.4.
  std::string render() const;

private:
  class source;
  std::unique_ptr<source> source_;
};

} // namespace fantail
