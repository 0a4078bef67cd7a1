// SPDX-License-Identifier: MIT
#include "console/line_editor.hpp"

#include "console/signals.hpp"
#include "console/terminal.hpp"
#include "console/text.hpp"

#include <histedit.h>
#include <poll.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <filesystem>
#include <iostream>

namespace fantail::console {

namespace {

constexpr int history_lines_max = 1000;
/// More than these are counted, not listed.
constexpr size_t candidates_max = 60;

unsigned char complete_word(EditLine* editor, int);
int next_character(EditLine* editor, wchar_t* out);
char* current_prompt(EditLine* editor);

} // namespace

class line_editor::impl {
public:
  explicit impl(options x) : how(std::move(x)) {
    if (!is_terminal(STDIN_FILENO) || !is_terminal(STDOUT_FILENO))
      return;
    look_of_output(); // sets the locale that the library reads by
    editor = ::el_init("fantail", stdin, stdout, stderr);
    if (!editor)
      return;
    ::el_set(editor, EL_CLIENTDATA, this);
    // What stands between two such bytes takes no columns.
    ::el_set(editor, EL_PROMPT_ESC, current_prompt, '\1');
    ::el_set(editor, EL_EDITOR, "emacs");
    ::el_set(editor, EL_GETCFN, next_character);
    ::el_set(editor, EL_ADDFN, "fantail-complete", "Completes the word",
             complete_word);
    ::el_set(editor, EL_BIND, "^I", "fantail-complete", nullptr);
    ::el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    begin_history();
    ::el_source(editor, nullptr);
  }

  ~impl() {
    if (past)
      ::history_end(past);
    if (editor)
      ::el_end(editor);
  }

  outcome read(const std::string& text, std::string& out) {
    if (!editor)
      return read_plain(out);
    prompt = text;
    int count = 0;
    was_given_up = false;
    // Before the prompt is seen: a key that comes in between would be taken
    // for one of another mode, Ctrl-D for nothing.
    ::el_set(editor, EL_PREP_TERM, 1);
    auto* line = ::el_gets(editor, &count);
    if (was_given_up) {
      // What was typed stays visible, and is not part of the next line, even
      // if it was not read yet.
      ::tcflush(STDIN_FILENO, TCIFLUSH);
      std::fputs("^C\n", stdout);
      std::fflush(stdout);
      ::el_reset(editor);
      return is_asked_to_end() ? outcome::ended : outcome::given_up;
    }
    if (!line || count <= 0) {
      std::fputc('\n', stdout);
      std::fflush(stdout);
      return outcome::ended;
    }
    out.assign(line, static_cast<size_t>(count));
    while (out.ends_with('\n') || out.ends_with('\r'))
      out.pop_back();
    remember(out);
    return outcome::line;
  }

  options how;
  EditLine* editor = nullptr;
  std::string prompt;
  bool was_given_up = false;

private:
  static outcome read_plain(std::string& out) {
    if (is_interrupted() || !std::getline(std::cin, out))
      return outcome::ended;
    return outcome::line;
  }

  void begin_history() {
    past = ::history_init();
    if (!past)
      return;
    HistEvent event;
    ::history(past, &event, H_SETSIZE, history_lines_max);
    ::history(past, &event, H_SETUNIQUE, 1);
    if (!how.history_file.empty())
      ::history(past, &event, H_LOAD, how.history_file.c_str());
    ::el_set(editor, EL_HIST, ::history, past);
  }

  void remember(const std::string& line) {
    if (!past || line.find_first_not_of(" \t") == line.npos)
      return;
    HistEvent event;
    ::history(past, &event, H_ENTER, line.c_str());
    if (how.history_file.empty())
      return;
    auto before = ::umask(077);
    ::history(past, &event, H_SAVE, how.history_file.c_str());
    ::umask(before);
  }

  History* past = nullptr;
};

namespace {

line_editor::impl& self_of(EditLine* editor) {
  void* result = nullptr;
  ::el_get(editor, EL_CLIENTDATA, &result);
  return *static_cast<line_editor::impl*>(result);
}

char* current_prompt(EditLine* editor) {
  return self_of(editor).prompt.data();
}

/// Waits for one byte, so that signals can be seen to. 0 = end, -1 = given up.
int next_byte(EditLine* editor, unsigned char& out) {
  for (;;) {
    if (is_interrupted()) {
      self_of(editor).was_given_up = true;
      return -1;
    }
    if (take_resize())
      ::el_resize(editor);
    pollfd input{STDIN_FILENO, POLLIN, 0};
    auto ready = ::poll(&input, 1, 100);
    if (ready < 0 && errno != EINTR)
      return 0;
    if (ready <= 0)
      continue;
    auto count = ::read(STDIN_FILENO, &out, 1);
    if (count < 0 && errno == EINTR)
      continue;
    return count == 1 ? 1 : 0;
  }
}

int next_character(EditLine* editor, wchar_t* out) {
  std::mbstate_t state{};
  for (;;) {
    unsigned char byte = 0;
    if (auto got = next_byte(editor, byte); got != 1)
      return got;
    auto c = static_cast<char>(byte);
    auto length = std::mbrtowc(out, &c, 1, &state);
    if (length == static_cast<size_t>(-2))
      continue;
    if (length == static_cast<size_t>(-1)) {
      // No character of this locale: not ours to refuse.
      *out = L'?';
      return 1;
    }
    return 1;
  }
}

void list_candidates(const std::vector<std::string>& candidates) {
  size_t widest = 0;
  auto shown = std::min(candidates.size(), candidates_max);
  for (size_t i = 0; i < shown; ++i)
    widest = std::max(widest, width_of(candidates[i]));
  auto how = look_of_output();
  auto columns = std::max<size_t>(1, how.width / (widest + 2));
  std::string all = "\n";
  for (size_t i = 0; i < shown; ++i) {
    all += pad_right(printable(candidates[i]), widest + 2);
    if ((i + 1) % columns == 0 || i + 1 == shown)
      all += "\n";
  }
  if (shown < candidates.size())
    all += "and " + std::to_string(candidates.size() - shown) + " more\n";
  std::fputs(all.c_str(), stdout);
  std::fflush(stdout);
}

/// The library counts characters where it does not count bytes.
int characters_in(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

unsigned char complete_word(EditLine* editor, int) {
  auto* line = ::el_line(editor);
  auto length = static_cast<size_t>(line->cursor - line->buffer);
  std::string before(line->buffer, length);
  auto found = complete(before, self_of(editor).how.names);
  if (found.candidates.empty())
    return CC_REFRESH_BEEP;
  auto word = common_beginning(found.candidates);
  auto is_only = found.candidates.size() == 1;
  if (is_only && !word.ends_with('='))
    word += ' ';
  auto typed = before.size() - found.begin;
  if (word.size() > typed || is_only) {
    ::el_deletestr(editor, characters_in(before.substr(found.begin)));
    ::el_insertstr(editor, word.c_str());
    return CC_REFRESH;
  }
  list_candidates(found.candidates);
  return CC_REDISPLAY;
}

} // namespace

line_editor::line_editor(options how)
    : impl_(std::make_unique<impl>(std::move(how))) {}

line_editor::~line_editor() = default;

line_editor::outcome line_editor::read(const std::string& prompt,
                                       std::string& out) {
  return impl_->read(prompt, out);
}

std::string history_file() {
  auto* state = std::getenv("XDG_STATE_HOME");
  auto* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (state && *state)
    folder = state;
  else if (home && *home)
    folder = std::filesystem::path{home} / ".local" / "state";
  else
    return {};
  folder /= "fantail";
  std::error_code problem;
  auto is_new = std::filesystem::create_directories(folder, problem);
  if (problem)
    return {};
  if (is_new)
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all,
                                 problem);
  return (folder / "console_history").string();
}

} // namespace fantail::console
