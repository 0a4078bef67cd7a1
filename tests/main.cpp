// SPDX-License-Identifier: MIT
// The one place that holds CAF's test runner; suites include unit_test.hpp.
#include "caf/test/unit_test_impl.hpp"
