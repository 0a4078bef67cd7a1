// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.boot.embedded_server

#include "core/hash.hpp"
#include "runtime/boot/embedded_server.hpp"
#include "runtime/boot/server_settings.hpp"
#include "tests/runtime/boot/raw_nats.hpp"
#include "tests/runtime/boot/scratch_directory.hpp"

#include "caf/test/unit_test.hpp"

#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <functional>

using namespace fantail;

namespace {

// Names the directory in which a second process of this test owns a server.
constexpr const char* owner_variable = "FANTAIL_TEST_OWNER_DIRECTORY";

// A server that greets as told and then answers one request.
constexpr const char* fake_server = R"py(#!/usr/bin/env python3
import re, socket, sys
text = open(sys.argv[2]).read()
port = int(re.search(r'127.0.0.1:(\d+)', text).group(1))
name = re.search(r'server_name: "([^"]*)"', text).group(1)
listener = socket.create_server(('127.0.0.1', port))
peer, _ = listener.accept()
greeting = '{"server_name":"%s","version":"VERSION","jetstream":JETSTREAM}'
peer.sendall(('INFO ' + greeting % name + '\r\n').encode())
got = ''
while '$JS.API.INFO ' not in got:
    got += peer.recv(4096).decode()
reply = re.search(r'API.INFO (\S+)', got).group(1)
peer.sendall(('MSG %s 1 2\r\n{}\r\n' % reply).encode())
peer.recv(1)
)py";

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

bool eventually(std::function<bool()> condition, duration patience = 20s) {
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

/// False for a zombie, too: who reaps an orphan, and when, is not our matter.
bool is_alive(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  std::string text;
  return std::getline(in, text) && text.find(") Z ") == text.npos;
}

struct fixture {
  scratch_directory scratch;
  embedded_server_config config;

  fixture() {
    config.state_directory = scratch.path + "/state";
    config.store_bytes_max = 256 << 20;
    config.start_timeout = 20s;
  }

  std::unique_ptr<embedded_server> start(embedded_server_handlers on = {}) {
    auto result = embedded_server::start(config, std::move(on));
    if (auto* why = std::get_if<std::string>(&result))
      CAF_FAIL("the server did not start: " + *why);
    return std::move(std::get<0>(result));
  }

  std::string why_not() {
    auto result = embedded_server::start(config);
    auto* why = std::get_if<std::string>(&result);
    return why ? *why : "it started";
  }

  /// An executable script in the scratch directory.
  std::string script(const std::string& text) {
    auto path = scratch.path + "/program";
    std::ofstream{path} << text;
    chmod(path.c_str(), 0700);
    return path;
  }
};

#define CHECK_CONTAINS(text, part)                                             \
  do {                                                                         \
    auto text_value = (text);                                                  \
    CAF_CHECK(contains(text_value, part));                                     \
    if (!contains(text_value, part))                                           \
      CAF_MESSAGE("in: " + text_value);                                        \
  } while (false)

} // namespace

CAF_TEST_FIXTURE_SCOPE(embedded_server_tests, fixture)

CAF_TEST(a_started_server_maps_the_subjects_to_shards) {
  config.shards = 5;
  config.presence_shards = 3;
  auto server = start();
  CAF_CHECK(server->is_up());
  CAF_CHECK(is_supported_server(server->version()));
  CAF_CHECK_EQUAL(server->store_bytes(), 256u << 20);
  raw_nats client{server->port()};
  client.send("SUB fantail.> 2\r\n");
  client.publish("messages.send.general", "hello");
  auto shard = std::to_string(shard_of("general", 5).value);
  CHECK_CONTAINS(client.read_until("hello"),
                 "MSG fantail.in." + shard + ".general ");
  client.publish("presence.update.u1", "online");
  shard = std::to_string(presence_shard_of("u1", 3).value);
  CHECK_CONTAINS(client.read_until("online"),
                 "MSG fantail.presence." + shard + ".u1 ");
}

CAF_TEST(stop_ends_the_server) {
  auto server = start();
  auto pid = server->pid().value();
  CAF_CHECK(is_alive(pid));
  server->stop();
  CAF_CHECK(!is_alive(pid));
  CAF_CHECK(!server->is_up());
  CAF_CHECK(!server->pid());
}

CAF_TEST(a_killed_server_comes_back_on_its_port_with_its_data) {
  std::atomic<int> downs{0}, ups{0};
  embedded_server_handlers on;
  on.on_down = [&](const std::string&) {
    ++downs;
  };
  on.on_up = [&](duration) {
    ++ups;
  };
  auto server = start(std::move(on));
  auto port = server->port();
  {
    raw_nats client{port};
    auto made
        = client.request("$JS.API.STREAM.CREATE.S",
                         R"({"name":"S","subjects":["kept"]})", R"("config")");
    CHECK_CONTAINS(made, R"("name":"S")");
    CHECK_CONTAINS(client.request("kept", "one", R"("seq")"), R"("seq":1)");
  }
  auto first = server->pid().value();
  kill(first, SIGKILL);
  CAF_REQUIRE(eventually([&] { return ups == 1; }));
  CAF_CHECK_EQUAL(downs, 1);
  CAF_CHECK_EQUAL(server->restarts(), 1u);
  CAF_CHECK_EQUAL(server->port(), port);
  CAF_CHECK(server->pid() != first);
  raw_nats client{port};
  CHECK_CONTAINS(client.request("$JS.API.STREAM.INFO.S", "", R"("state")"),
                 R"("messages":1)");
}

CAF_TEST(a_silent_server_is_killed_and_started_again) {
  config.probe_interval = 100ms;
  config.probe_timeout = 200ms;
  config.silence_max = 500ms;
  std::mutex mutex;
  std::string reason;
  embedded_server_handlers on;
  on.on_down = [&](const std::string& why) {
    std::lock_guard guard{mutex};
    reason = why;
  };
  auto server = start(std::move(on));
  auto first = server->pid().value();
  kill(first, SIGSTOP);
  CAF_REQUIRE(eventually([&] { return server->restarts() == 1; }));
  CAF_CHECK(!is_alive(first));
  std::lock_guard guard{mutex};
  CHECK_CONTAINS(reason, "fell silent");
}

CAF_TEST(as_the_second_process_own_a_server_until_killed) {
  // Does nothing unless the test below started it.
  auto* directory = std::getenv(owner_variable);
  if (!directory)
    return;
  config.state_directory = directory;
  auto server = start();
  write_file(std::string{directory} + "/owned-pid",
             std::to_string(server->pid().value()));
  std::this_thread::sleep_for(60s);
}

CAF_TEST(a_server_does_not_outlive_its_owner) {
  // A fresh process, since a fork of one with threads is half a process.
  auto variable = std::string{owner_variable} + "=" + config.state_directory;
  auto path = std::string{"PATH="} + std::getenv("PATH");
  // Killed, it cannot clean up: its scratch directory has to be in ours.
  auto scratch_variable = "TMPDIR=" + scratch.path;
  char* environment[]
      = {variable.data(), path.data(), scratch_variable.data(), nullptr};
  std::string words[] = {"fantail-test", "-n", "-v", "0",
                         "-r",           "0",  "-t", "as_the_second_process"};
  std::vector<char*> arguments;
  for (auto& x : words)
    arguments.push_back(x.data());
  arguments.push_back(nullptr);
  pid_t owner = -1;
  CAF_REQUIRE_EQUAL(posix_spawn(&owner, "/proc/self/exe", nullptr, nullptr,
                                arguments.data(), environment),
                    0);
  auto pid_file = config.state_directory + "/owned-pid";
  auto owned = [&] {
    return file_tail(pid_file, 16);
  };
  CAF_CHECK(eventually([&] { return !owned().empty(); }));
  auto server = static_cast<pid_t>(std::atoi(("0" + owned()).c_str()));
  CAF_CHECK(server > 1 && is_alive(server));
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  CAF_CHECK(eventually([&] { return server > 1 && !is_alive(server); }, 5s));
  // And whoever comes next finds the directory free.
  auto next = start();
  CAF_CHECK(next->is_up());
}

CAF_TEST(a_restarted_node_finds_its_server_on_the_same_port) {
  auto port = start()->port();
  CAF_CHECK_EQUAL(start()->port(), port);
}

CAF_TEST(two_nodes_cannot_share_a_directory) {
  auto first = start();
  CHECK_CONTAINS(why_not(), "another node uses " + config.state_directory);
  CHECK_CONTAINS(why_not(), "node.state-directory");
}

CAF_TEST(a_taken_port_is_named) {
  auto first = start();
  config.state_directory += "2";
  config.port = first->port();
  CHECK_CONTAINS(why_not(), "port " + std::to_string(config.port)
                                + " is taken (set by the key nats.port");
}

CAF_TEST(a_missing_program_is_named) {
  config.program = "no-such-server";
  CHECK_CONTAINS(why_not(), "install the package nats-server");
  CHECK_CONTAINS(why_not(), "nats.server");
  config.program = scratch.path;
  CHECK_CONTAINS(why_not(), "there is no program");
}

CAF_TEST(a_program_that_ends_is_quoted) {
  config.program = script("#!/bin/sh\necho boo >&2\nexit 3\n");
  CHECK_CONTAINS(why_not(), "ended with status 3; its last words: boo");
  config.program = script("no program at all");
  CHECK_CONTAINS(why_not(), "Exec format error");
}

CAF_TEST(a_program_that_never_answers_is_given_up) {
  config.start_timeout = 300ms;
  config.program = script("#!/bin/sh\nexec sleep 60\n");
  CHECK_CONTAINS(why_not(), "did not answer in time (cannot connect");
}

CAF_TEST(an_unusable_directory_is_named) {
  std::ofstream{scratch.path + "/file"} << "not a directory";
  config.state_directory = scratch.path + "/file/state";
  CHECK_CONTAINS(why_not(), "Not a directory (set by the key node.state-");
}

CAF_TEST(a_disk_that_is_too_full_is_told) {
  config.store_bytes_max = 1 << 20;
  CHECK_CONTAINS(why_not(), "at least 64 MiB, and only 1 MiB may be taken");
}

CAF_TEST(an_old_server_and_one_without_jetstream_are_refused) {
  auto fake = [&](const std::string& version, const std::string& jetstream) {
    auto text = std::string{fake_server};
    text.replace(text.find("VERSION"), 7, version);
    text.replace(text.find("JETSTREAM"), 9, jetstream);
    config.program = script(text);
  };
  fake("2.9.9", "true");
  CHECK_CONTAINS(why_not(), "is version 2.9.9, which is too old: 2.9.10");
  fake("2.10.0", "false");
  CHECK_CONTAINS(why_not(), "runs without JetStream");
}

CAF_TEST(versions_are_compared_by_number) {
  for (auto* good : {"2.9.10", "2.9.25", "2.10.0", "2.10.27-RC.1", "3.0.0"})
    CAF_CHECK(is_supported_server(good));
  for (auto* bad : {"2.9.9", "2.8.99", "1.99.99", "", "2", "2.9", "x.y.z"})
    CAF_CHECK(!is_supported_server(bad));
}

CAF_TEST_FIXTURE_SCOPE_END()
