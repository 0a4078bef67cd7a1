// SPDX-License-Identifier: MIT
#include "runtime/boot/server_process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

namespace fantail {

namespace {

using namespace std::chrono_literals;

/// What the child needs; made before the fork, since nothing may be allocated
/// between fork and exec in a process with threads.
struct child_plan {
  std::vector<char*> arguments;
  pid_t parent;
  int log;
  int inherited;
  /// Tells the parent errno if the program cannot be executed.
  int report;
};

[[noreturn]] void give_up(const child_plan& plan) {
  auto problem = errno;
  [[maybe_unused]] auto written = write(plan.report, &problem, sizeof problem);
  _exit(127);
}

/// Runs in the child. Only async-signal-safe functions, see signal-safety(7).
[[noreturn]] void become(const child_plan& plan) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    give_up(plan);
  // The parent may have ended before the line above.
  if (getppid() != plan.parent)
    _exit(127);
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD})
    ::signal(number, SIG_DFL);
  auto null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0
      || dup2(plan.log, STDOUT_FILENO) < 0 || dup2(plan.log, STDERR_FILENO) < 0)
    give_up(plan);
  // Libraries open sockets that would stay open in the child: all of them are
  // closed by exec, save the one that is meant to stay.
  close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  if (plan.inherited >= 0)
    fcntl(plan.inherited, F_SETFD, 0);
  execv(plan.arguments[0], plan.arguments.data());
  give_up(plan);
}

} // namespace

server_process::~server_process() {
  if (is_running())
    stop(0s);
}

std::optional<std::string>
server_process::start(const std::vector<std::string>& arguments,
                      const std::string& log_path, int inherited_file) {
  child_plan plan;
  for (auto& x : arguments)
    plan.arguments.push_back(const_cast<char*>(x.c_str()));
  plan.arguments.push_back(nullptr);
  plan.parent = getpid();
  plan.inherited = inherited_file;
  plan.log
      = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (plan.log < 0)
    return log_path + ": " + std::strerror(errno);
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    auto why = std::string{"no pipe: "} + std::strerror(errno);
    close(plan.log);
    return why;
  }
  plan.report = ends[1];
  auto child = fork();
  if (child == 0)
    become(plan);
  auto problem = child < 0 ? errno : 0;
  close(ends[1]);
  close(plan.log);
  // The pipe closes without a word when exec succeeds.
  if (child > 0 && read(ends[0], &problem, sizeof problem) <= 0)
    problem = 0;
  close(ends[0]);
  if (problem != 0) {
    if (child > 0)
      waitpid(child, nullptr, 0);
    return arguments[0] + ": " + std::strerror(problem);
  }
  pid_ = child;
  return std::nullopt;
}

std::optional<std::string> server_process::take_end() {
  if (!is_running())
    return std::nullopt;
  int status = 0;
  auto ended = waitpid(*pid_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR))
    return std::nullopt;
  pid_.reset();
  if (ended < 0)
    return "ended unseen";
  if (WIFSIGNALED(status))
    return "was killed by signal " + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

void server_process::signal(int number) noexcept {
  if (!is_running())
    return;
  // The group exists only once the child has made it.
  kill(*pid_, number);
  kill(-*pid_, number);
}

void server_process::stop(duration patience) {
  signal(SIGTERM);
  // A stopped process would not see the request.
  signal(SIGCONT);
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (is_running() && std::chrono::steady_clock::now() < deadline)
    if (!take_end())
      std::this_thread::sleep_for(10ms);
  if (!is_running())
    return;
  signal(SIGKILL);
  while (is_running())
    if (!take_end())
      std::this_thread::sleep_for(1ms);
}

} // namespace fantail
