// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/profile/profile.hpp"

namespace fantail {

/// What lies on the heap now, and which stacks asked for it: jemalloc remembers
/// one allocation per 512 KiB from the start of the process on, so that a
/// profile shows a leak whenever it is asked for. Programs that are not linked
/// with jemalloc, such as those under a sanitizer, have none. Thread safe.
profile take_heap_profile();

} // namespace fantail
