// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/profile/profile.hpp"

namespace fantail {

/// What lies on the heap now, and which stacks asked for it: jemalloc remembers
/// one allocation per 512 KiB from the start of the process on, so that a
/// profile shows a leak whenever it is asked for. Programs that are not linked
/// with jemalloc, such as those under a sanitizer, have none. Thread safe.
profile take_heap_profile();

/// Returns to the system at once what was freed, instead of little by little.
/// Takes milliseconds per gigabyte. From any thread.
void give_back_free_memory();

} // namespace fantail
