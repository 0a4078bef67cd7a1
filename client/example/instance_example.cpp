// SPDX-License-Identifier: MIT
// A whole notification service instance: one user comes online in one channel
// and what the channel says is printed until the program is interrupted.
//
//     instance_example nats://127.0.0.1:4222 notif-001 ada general
#include "client/instance.hpp"
#include "client/presence_source.hpp"

#include <csignal>
#include <iostream>
#include <thread>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

void print(const chat_event& event) {
  std::cout << "#" << event.channel << " " << event.body << std::endl;
}

void print_answer(const std::optional<presence_answer>& answer) {
  if (!answer)
    std::cout << "nobody answered\n";
  else if (answer->what == presence_answer::status::rejected)
    std::cout << "refused: " << answer->detail << "\n";
  else
    std::cout << to_string(answer->what) << std::endl;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: " << argv[0] << " url instance user channel\n";
    return 2;
  }
  // Blocked before any thread begins, so that main alone waits for them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  nats::event_loop loop{"example"};
  nats::connect_options server;
  server.url = argv[1];
  nats::connection connection{loop, server};
  connection.start();
  client::instance instance{
      loop, connection, {.name = argv[2]}, {.on_event = print}};
  instance.start();
  if (!instance.wait_registered(10s)) {
    std::cerr << "no Fantail answers at " << argv[1] << "\n";
    return 1;
  }
  client::presence_source presence{loop, connection};
  channel_list channels;
  channels.push_back(argv[4]);
  presence.online(argv[3], "example", argv[2], channels, print_answer);
  int signal = 0;
  sigwait(&signals, &signal);
  presence.offline(argv[3], "example", print_answer);
  while (presence.unanswered() > 0)
    std::this_thread::sleep_for(10ms);
  instance.stop();
}
