// SPDX-License-Identifier: MIT
// What most suites include, parsed once for a sanitizer's build. Suites include
// what they use themselves, and do not know this file.
#pragma once

#include "messages/protocol.hpp"
#include "runtime/nats/connection.hpp"
#include "runtime/nats/event_loop.hpp"

// Not caf/test/dsl.hpp: its macros have names like `expect`.
#include <caf/all.hpp>
#include <caf/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <thread>

// The header sets it for suites without a name; each suite has its own.
#undef CAF_SUITE
