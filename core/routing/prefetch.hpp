// SPDX-License-Identifier: MIT
#pragma once

namespace fantail {

/// Asks for the cache line at `address`, which is read a little later.
///
/// GCC takes a function that does nothing but prefetch for one without an
/// effect and removes the calls. The empty statement looks like an effect.
inline void prefetch(const void* address) noexcept {
  asm volatile("" : : "r"(address));
  __builtin_prefetch(address);
}

} // namespace fantail
