// SPDX-License-Identifier: MIT
#pragma once

namespace fantail::console {

/// From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending the
/// process, and interrupt whatever waits; so is a change of the window's size.
void catch_signals();

/// The user pressed Ctrl-C, or the process is asked to end.
bool is_interrupted();
/// Only the latter: it stays so.
bool is_asked_to_end();
/// Forgets Ctrl-C.
void forget_interrupt();
/// True once after each change of the window's size.
bool take_resize();

} // namespace fantail::console
