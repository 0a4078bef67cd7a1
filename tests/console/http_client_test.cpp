// SPDX-License-Identifier: MIT
#define CAF_SUITE console.http_client

#include "console/http_client.hpp"
#include "console/request.hpp"
#include "console/session.hpp"
#include "runtime/http/http_server.hpp"

#include "caf/test/unit_test.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

using namespace fantail;
using namespace fantail::console;
using namespace std::chrono_literals;

namespace {

/// A socket of this machine that says what the test wants to every visitor,
/// then stays silent until it ends.
class scripted_server {
public:
  explicit scripted_server(std::string answer, bool closes)
      : answer_(std::move(answer)), closes_(closes) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* generic = reinterpret_cast<sockaddr*>(&at);
    CAF_REQUIRE(::bind(socket_, generic, size) == 0);
    CAF_REQUIRE(::listen(socket_, 4) == 0);
    ::getsockname(socket_, generic, &size);
    port_ = ::ntohs(at.sin_port);
    thread_ = std::thread{[this] {
      run();
    }};
  }

  ~scripted_server() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }

  address at() const { return {"127.0.0.1", port_}; }

  /// What the last visitor who was answered had sent.
  std::string last_heard() {
    std::lock_guard guard{mutex_};
    return last_heard_;
  }

private:
  void run() {
    std::vector<int> silent;
    for (int visitor; (visitor = ::accept(socket_, nullptr, nullptr)) >= 0;) {
      char heard[4096];
      auto count = ::read(visitor, heard, sizeof heard);
      {
        std::lock_guard guard{mutex_};
        last_heard_.assign(heard, count > 0 ? static_cast<size_t>(count) : 0);
      }
      (void)!::write(visitor, answer_.data(), answer_.size());
      if (closes_)
        ::close(visitor);
      else
        silent.push_back(visitor);
    }
    for (auto x : silent)
      ::close(x);
  }

  const std::string answer_;
  const bool closes_;
  int socket_ = -1;
  uint16_t port_ = 0;
  std::mutex mutex_;
  std::string last_heard_;
  std::thread thread_;
};

http_response echo(const http_request& x) {
  return json_response(json::object{{"path", x.path}, {"method", x.method}});
}

struct node_server {
  node_server() {
    auto started = http_server::start(
        {}, {{"GET", "/a/b", "", echo}, {"POST", "/a/b", "", echo}});
    CAF_REQUIRE(std::holds_alternative<std::unique_ptr<http_server>>(started));
    server = std::move(std::get<0>(started));
  }
  address at() const { return {"127.0.0.1", server->port()}; }
  std::unique_ptr<http_server> server;
};

http_client::options patient(std::chrono::milliseconds timeout = 10s) {
  http_client::options result;
  result.timeout = timeout;
  return result;
}

trouble kind_of(const std::variant<reply, failure>& x) {
  auto* bad = std::get_if<failure>(&x);
  CAF_REQUIRE(bad);
  CAF_MESSAGE(bad->why);
  return bad->kind;
}

/// A port of this machine where nobody listens.
address nobody() {
  scripted_server server{"", true};
  return server.at();
}

} // namespace

CAF_TEST(answers_come_whole) {
  node_server node;
  http_client client{node.at(), patient()};
  auto got = client.get("/a%2Fb");
  CAF_REQUIRE(std::holds_alternative<reply>(got));
  auto& x = std::get<reply>(got);
  CAF_CHECK_EQUAL(x.status, 200u);
  CAF_CHECK_EQUAL(x.content_type, "application/json");
  CAF_CHECK(x.body.find("\"/a/b\"") != std::string::npos);
  auto posted = client.send("POST", "/a/b", "");
  CAF_CHECK(std::get<reply>(posted).body.find("POST") != std::string::npos);
  auto missing = client.get("/nothing");
  CAF_CHECK_EQUAL(std::get<reply>(missing).status, 404u);
}

CAF_TEST(nobody_there_is_told_apart_from_somebody_silent) {
  http_client lonely{nobody(), patient()};
  CAF_CHECK(kind_of(lonely.get("/")) == trouble::unreachable);
  scripted_server silent{"", false};
  http_client waiting{silent.at(), patient(200ms)};
  CAF_CHECK(kind_of(waiting.get("/")) == trouble::silent);
}

CAF_TEST(what_is_no_answer_is_said_to_be_none) {
  for (std::string x : {"", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200 OK\r\n",
                        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"}) {
    scripted_server server{x, true};
    http_client client{server.at(), patient()};
    CAF_CHECK(kind_of(client.get("/")) == trouble::broken);
  }
}

CAF_TEST(an_interrupt_ends_every_wait) {
  scripted_server silent{"", false};
  auto options = patient(1h);
  int asked = 0;
  options.is_interrupted = [&] {
    return ++asked > 2;
  };
  http_client client{silent.at(), options};
  CAF_CHECK(kind_of(client.get("/")) == trouble::interrupted);
}

CAF_TEST(a_stream_is_handed_out_as_it_comes) {
  scripted_server server{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream"
                         "\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "5\r\ndata:\r\n4\r\n 1\n\n\r\n",
                         false};
  http_client client{server.at(), patient()};
  std::string heard;
  bool is_open = false;
  auto ended = client.follow(
      "GET", "/", "",
      [&](std::string_view bytes) {
        heard += bytes;
        return heard.size() < 9;
      },
      [&] { is_open = true; });
  CAF_CHECK(std::holds_alternative<std::monostate>(ended));
  CAF_CHECK_EQUAL(heard, "data: 1\n\n");
  CAF_CHECK(is_open);
}

CAF_TEST(a_stream_that_breaks_off_is_told_apart_from_one_that_ends) {
  std::string begin = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n";
  auto follow = [](const std::string& answer) {
    scripted_server server{answer, true};
    http_client client{server.at(), patient()};
    return client.follow(
        "GET", "/", "", [](std::string_view) { return true; }, [] {});
  };
  CAF_CHECK(
      std::holds_alternative<std::monostate>(follow(begin + "0\r\n\r\n")));
  CAF_CHECK(std::holds_alternative<failure>(follow(begin)));
  auto refused = follow("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno");
  CAF_REQUIRE(std::holds_alternative<reply>(refused));
  CAF_CHECK_EQUAL(std::get<reply>(refused).body, "no");
}

CAF_TEST(troubles_become_words_and_exit_codes) {
  settings how;
  how.at = nobody();
  auto answer = session{how}.ask("/api/v1/node");
  CAF_REQUIRE(std::holds_alternative<problem>(answer));
  auto& x = std::get<problem>(answer);
  CAF_CHECK_EQUAL(x.exit_code, static_cast<int>(console_unreachable));
  CAF_CHECK(x.text.starts_with("cannot reach http://127.0.0.1:"));
  CAF_CHECK(x.text.find("connection refused") != std::string::npos);
  CAF_CHECK(x.text.find("fantail node") != std::string::npos);
  auto refused = problem_of_answer(
      {401, "", R"({"error":{"code":"unauthorized","message":"no token"}})"});
  CAF_CHECK_EQUAL(refused.exit_code, static_cast<int>(console_refused));
  CAF_CHECK(refused.text.starts_with("no token\n"));
  auto wrong = problem_of_answer(
      {404, "", R"({"error":"nothing here","what_to_do":"ask for /"})"});
  CAF_CHECK_EQUAL(wrong.exit_code, static_cast<int>(console_error));
  CAF_CHECK_EQUAL(wrong.text, "nothing here; ask for /");
  auto foreign = problem_of_answer({500, "", "<html>"});
  CAF_CHECK_EQUAL(foreign.exit_code, static_cast<int>(console_error));
}

CAF_TEST(the_token_goes_along_with_changes_only_unless_it_was_given) {
  for (auto is_given : {false, true}) {
    scripted_server server{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                           true};
    settings how;
    how.at = server.at();
    how.token = "secret";
    how.is_token_given = is_given;
    session node{how};
    CAF_CHECK(std::holds_alternative<std::string>(node.ask("/x")));
    CAF_CHECK_EQUAL(server.last_heard().find("Bearer secret")
                        != std::string::npos,
                    is_given);
    CAF_CHECK(std::holds_alternative<std::string>(node.change("/x")));
    CAF_CHECK(server.last_heard().find("Bearer secret") != std::string::npos);
  }
}
