// SPDX-License-Identifier: MIT
#include "runtime/http/listen_problem.hpp"

namespace fantail {

std::string listen_problem(const http_server_config& config,
                           std::error_code why) {
  auto port = std::to_string(config.port);
  if (why == std::errc::address_in_use)
    return "port " + port + " on " + config.address
           + " is taken; set http.port";
  if (why == std::errc::permission_denied)
    return "port " + port
           + " is for privileged programs only; set http.port "
             "to 1024 or above";
  if (why == std::errc::address_not_available)
    return "this machine does not have the address " + config.address
           + "; set http.address";
  return "cannot listen on " + config.address + " port " + port + ": "
         + why.message() + "; set http.address or http.port";
}

} // namespace fantail
