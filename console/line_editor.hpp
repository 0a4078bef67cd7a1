// SPDX-License-Identifier: MIT
#pragma once

#include "console/completion.hpp"

#include <memory>
#include <string>

namespace fantail::console {

/// A prompt with line editing, history and completion on a terminal; lines as
/// they come on anything else. Keys are those of Emacs unless ~/.editrc says
/// something else. One at a time.
class line_editor {
public:
  struct options {
    /// Where the history is kept; empty = it is not. Nobody else may read it.
    std::string history_file;
    name_source names;
  };

  enum class outcome {
    line,
    /// Ctrl-C: the line was given up.
    given_up,
    /// Ctrl-D, the end of the input, or a signal to end.
    ended,
  };

  explicit line_editor(options how);
  ~line_editor();
  line_editor(const line_editor&) = delete;
  line_editor& operator=(const line_editor&) = delete;

  /// Reads one line into `out`, without its end.
  outcome read(const std::string& prompt, std::string& out);

  class impl;

private:
  std::unique_ptr<impl> impl_;
};

/// The file for the history of the console: in $XDG_STATE_HOME/fantail or
/// ~/.local/state/fantail, which is made if need be. Empty if there is no
/// place for it.
std::string history_file();

} // namespace fantail::console
