// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace fantail {

/// Where actors tell people what happened: the port behind which the log
/// lives. Thread safe; `event` is a stable kebab-case id that
/// docs/OPERATIONS.md lists. Payloads never go here.
class report_port {
public:
  enum class severity { debug, info, warning, error };
  using fields
      = std::initializer_list<std::pair<std::string_view, std::string>>;

  virtual ~report_port() = default;
  virtual void report(severity level, std::string_view component,
                      std::string_view event, fields details)
      = 0;

  void info(std::string_view component, std::string_view event,
            fields details = {}) {
    report(severity::info, component, event, details);
  }
  void warn(std::string_view component, std::string_view event,
            fields details = {}) {
    report(severity::warning, component, event, details);
  }
  void error(std::string_view component, std::string_view event,
             fields details = {}) {
    report(severity::error, component, event, details);
  }
};

} // namespace fantail
