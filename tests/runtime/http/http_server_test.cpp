// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.http.http_server

#include "runtime/http/http_server.hpp"
#include "tests/runtime/http/raw_http.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <atomic>
#include <deque>
#include <future>
#include <random>
#include <stdexcept>
#include <thread>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

/// More than the buffers of two sockets take.
constexpr size_t large_bytes = 24 << 20;

struct fixture {
  http_server_config config;
  std::unique_ptr<http_server> server;
  /// What /wait waits for, and how many of its handlers have begun.
  std::promise<void> gate;
  std::shared_future<void> is_open{gate.get_future()};
  std::atomic<int> begun{0};
  /// How far /stream may count.
  std::atomic<int> numbers{0};
  std::shared_ptr<int> viewer = std::make_shared<int>();

  std::vector<http_route> routes() {
    return {
        {"GET", "/hello", "",
         [](const http_request&) {
           return http_response{200, "text/plain", "hello"};
         }},
        {"GET", "/echo", "",
         [](const http_request& x) {
           auto i = x.query.find("text");
           return http_response{201, "text/plain",
                                i == x.query.end() ? "" : i->second};
         }},
        {"POST", "/echo", "",
         [](const http_request& x) {
           return http_response{200, "text/plain", x.body};
         }},
        {"GET", "/large", "",
         [](const http_request&) {
           return http_response{200, "text/plain",
                                std::string(large_bytes, 'x')};
         }},
        {"GET", "/throw", "",
         [](const http_request&) -> http_response {
           throw std::runtime_error("out of \"cheese\"");
         }},
        {"GET", "/who", "",
         [](const http_request& x) {
           return http_response{200, "text/plain",
                                x.authorization + "|" + x.last_event_id + "|"
                                    + x.user_agent + "|" + x.peer};
         }},
        {"GET", "/things/{id}", "",
         [](const http_request& x) {
           return http_response{200, "text/plain", x.argument};
         }},
        {"GET", "/stream", "",
         [this](const http_request&) {
           return stream();
         }},
        {"GET", "/wait", "",
         [this](const http_request&) {
           ++begun;
           is_open.wait();
           return http_response{200, "text/plain", "waited"};
         },
         true},
    };
  }

  /// Counts up as far as `numbers` says; ends at 3. The copies of `viewer`
  /// are the streams that are served.
  http_response stream() {
    http_response result{200, "text/event-stream", "begin\n"};
    result.stream = [this, at = 0,
                     seat = viewer]() mutable -> std::optional<std::string> {
      if (at == 3)
        return std::nullopt;
      if (at >= numbers)
        return "";
      return std::to_string(++at) + "\n";
    };
    return result;
  }

  std::string start() {
    auto result = http_server::start(config, routes());
    if (auto* why = std::get_if<std::string>(&result))
      return *why;
    server = std::move(std::get<0>(result));
    return {};
  }

  uint16_t port() {
    if (!server)
      CAF_REQUIRE_EQUAL(start(), "");
    return server->port();
  }

  int status_of(std::string_view request) {
    raw_http client{port()};
    client.send(request);
    auto answer = client.read();
    // Whoever cannot be understood is told so, and then left.
    CAF_CHECK(client.is_closed());
    return answer.status;
  }

  void await_begun(int count) {
    for (int i = 0; i < 1000 && begun < count; ++i)
      std::this_thread::sleep_for(10ms);
    CAF_REQUIRE_EQUAL(begun, count);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(http_server_tests, fixture)

CAF_TEST(a_request_is_answered) {
  raw_http client{port()};
  auto x = client.get("/hello");
  CAF_CHECK_EQUAL(x.status, 200);
  CAF_CHECK_EQUAL(x.body, "hello");
  CAF_CHECK(x.says("Content-Type: text/plain\r\n"));
  CAF_CHECK(x.says("Content-Length: 5\r\n"));
  x = client.get("/echo?text=a%20b");
  CAF_CHECK_EQUAL(x.status, 201);
  CAF_CHECK_EQUAL(x.body, "a b");
}

CAF_TEST(a_connection_serves_many_requests) {
  raw_http client{port()};
  for (int i = 0; i < 100; ++i)
    CAF_REQUIRE_EQUAL(client.get("/hello").body, "hello");
  // Even if they are sent without waiting for the answers.
  client.ask("/echo?text=one");
  client.ask("/echo?text=two");
  CAF_CHECK_EQUAL(client.read().body, "one");
  CAF_CHECK_EQUAL(client.read().body, "two");
}

CAF_TEST(a_connection_is_closed_if_the_client_wants_that) {
  raw_http polite{port()};
  polite.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CAF_CHECK_EQUAL(polite.read().body, "hello");
  CAF_CHECK(polite.is_closed());
  raw_http old{port()};
  old.send("GET /hello HTTP/1.0\r\n\r\n");
  CAF_CHECK_EQUAL(old.read().body, "hello");
  CAF_CHECK(old.is_closed());
}

CAF_TEST(head_is_get_without_the_body) {
  raw_http client{port()};
  client.ask("/hello", "HEAD");
  auto x = client.read(false);
  CAF_CHECK_EQUAL(x.status, 200);
  CAF_CHECK(x.says("Content-Length: 5\r\n"));
  // The next response begins right behind the header.
  CAF_CHECK_EQUAL(client.get("/hello").status, 200);
}

CAF_TEST(a_body_reaches_its_handler) {
  raw_http client{port()};
  client.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
  CAF_CHECK_EQUAL(client.read().body, "body");
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
              "\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  CAF_CHECK_EQUAL(client.read().body, "abcde");
}

CAF_TEST(unknown_paths_and_methods_are_refused_in_json) {
  raw_http client{port()};
  auto x = client.get("/nowhere");
  CAF_CHECK_EQUAL(x.status, 404);
  CAF_CHECK(x.says("Content-Type: application/json\r\n"));
  auto body = json::parse(x.body);
  CAF_REQUIRE(body);
  CAF_CHECK(body->find("error") && body->find("what_to_do"));
  client.ask("/hello", "DELETE");
  x = client.read();
  CAF_CHECK_EQUAL(x.status, 405);
  CAF_CHECK(x.says("Allow: GET, HEAD\r\n"));
  client.ask("/echo", "PUT");
  CAF_CHECK(client.read().says("Allow: GET, HEAD, POST\r\n"));
  client.ask("/%zz");
  CAF_CHECK_EQUAL(client.read().status, 400);
  // All of that on one connection, which is still good.
  CAF_CHECK_EQUAL(client.get("/hello").status, 200);
}

CAF_TEST(what_is_too_large_or_no_request_ends_the_connection) {
  std::string get = "GET /hello HTTP/1.1\r\n";
  std::string post = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  auto body = std::string(49'153, 'b');
  CAF_CHECK_EQUAL(
      status_of(get + "X: " + std::string(17'000, 'h') + "\r\n\r\n"), 431);
  CAF_CHECK_EQUAL(status_of("GET /" + std::string(100'000, 'p')), 431);
  CAF_CHECK_EQUAL(status_of(post + "Content-Length: 49153\r\n\r\n" + body),
                  413);
  CAF_CHECK_EQUAL(status_of(post + "Content-Length: 99999999999\r\n\r\n"), 413);
  CAF_CHECK_EQUAL(
      status_of(post + "Transfer-Encoding: chunked\r\n\r\nc001\r\n" + body),
      413);
  CAF_CHECK_EQUAL(status_of("no request at all\r\n\r\n"), 400);
  CAF_CHECK_EQUAL(status_of(post + "Content-Length: -1\r\n\r\n"), 400);
  // What is just small enough is fine.
  raw_http client{port()};
  client.send(get + "X: " + std::string(16'000, 'h') + "\r\n\r\n");
  CAF_CHECK_EQUAL(client.read().status, 200);
  client.send(post + "Content-Length: 49152\r\n\r\n" + body.substr(1));
  CAF_CHECK_EQUAL(client.read().body.size(), 49'152u);
}

CAF_TEST(random_bytes_harm_nobody) {
  std::mt19937_64 random{test_seed()};
  std::string seed = "GET /echo?text=x HTTP/1.1\r\nHost: a\r\n"
                     "Content-Length: 3\r\nConnection: keep-alive\r\n\r\nabc";
  for (int i = 0; i < 300; ++i) {
    auto text = seed;
    for (auto changes = random() % 6; changes > 0; --changes)
      text[random() % text.size()] = static_cast<char>(random());
    raw_http client{port()};
    client.send(text.substr(0, random() % (text.size() + 1)));
  }
  CAF_CHECK_EQUAL(raw_http{port()}.get("/hello").status, 200);
}

CAF_TEST(a_handler_that_throws_becomes_status_500) {
  raw_http client{port()};
  auto x = client.get("/throw");
  CAF_CHECK_EQUAL(x.status, 500);
  auto body = json::parse(x.body);
  CAF_REQUIRE(body);
  CAF_CHECK_EQUAL(body->string_or("error", ""),
                  "the request failed: out of \"cheese\"");
  CAF_CHECK_EQUAL(client.get("/hello").status, 200);
}

CAF_TEST(slow_clients_block_nobody) {
  std::deque<raw_http> slow;
  for (int i = 0; i < 50; ++i) {
    slow.emplace_back(port()).send("GET /hel");
    // And this one never reads what it asked for.
    if (i % 25 == 0)
      slow.emplace_back(port()).ask("/large");
  }
  // A client of this test gives up after 10 s, a slow one is cut off after 30.
  raw_http client{port()};
  for (int i = 0; i < 20; ++i)
    CAF_CHECK_EQUAL(client.get("/hello").body, "hello");
  // Slow is not lost.
  slow.front().send("lo HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK_EQUAL(slow.front().read().body, "hello");
  CAF_CHECK_EQUAL(slow[1].read().body.size(), large_bytes);
}

CAF_TEST(handlers_that_wait_delay_only_their_like) {
  config.waiting_max = 2;
  raw_http first{port()}, second{port()}, third{port()};
  first.ask("/wait");
  await_begun(1);
  second.ask("/wait");
  raw_http client{port()};
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(client.get("/hello").body, "hello");
  auto x = third.get("/wait");
  CAF_CHECK_EQUAL(x.status, 503);
  CAF_CHECK(x.says("Retry-After: 1\r\n"));
  gate.set_value();
  CAF_CHECK_EQUAL(first.read().body, "waited");
  CAF_CHECK_EQUAL(second.read().body, "waited");
  CAF_CHECK_EQUAL(third.get("/wait").body, "waited");
}

CAF_TEST(who_comes_beyond_the_bound_is_turned_away) {
  config.connections_max = 2;
  {
    raw_http first{port()}, second{port()};
    CAF_CHECK_EQUAL(first.get("/hello").status, 200);
    CAF_CHECK_EQUAL(second.get("/hello").status, 200);
    raw_http third{port()};
    CAF_CHECK_EQUAL(third.read().status, 503);
    CAF_CHECK_EQUAL(first.get("/hello").status, 200);
  }
  // Those who left make room.
  int status = 0;
  for (int i = 0; i < 100 && status != 200; ++i) {
    std::this_thread::sleep_for(20ms);
    status = raw_http{port()}.get("/hello").status;
  }
  CAF_CHECK_EQUAL(status, 200);
}

CAF_TEST(silence_ends_a_connection) {
  config.idle_timeout = 600ms;
  raw_http silent{port()}, halting{port()}, busy{port()};
  halting.send("GET /hello HT");
  for (int i = 0; i < 10; ++i) {
    CAF_CHECK_EQUAL(busy.get("/hello").status, 200);
    std::this_thread::sleep_for(80ms);
  }
  CAF_CHECK(silent.is_closed());
  CAF_CHECK(halting.is_closed());
}

CAF_TEST(a_port_or_an_address_that_cannot_be_had_is_named) {
  config.port = port();
  auto taken = "port " + std::to_string(config.port)
               + " on 127.0.0.1 is taken; set http.port";
  CAF_CHECK_EQUAL(start(), taken);
  config.address = "nowhere";
  CAF_CHECK_EQUAL(start(), "\"nowhere\" is no IP address; set http.address");
  config.address = "192.0.2.1";
  CAF_CHECK_EQUAL(start(), "this machine does not have the address 192.0.2.1; "
                           "set http.address");
  config.address = "localhost";
  config.port = 0;
  CAF_CHECK_EQUAL(start(), "");
}

CAF_TEST(stop_waits_for_the_handler_and_frees_the_port) {
  config.port = port();
  raw_http idle{port()}, waiting{port()}, queued{port()};
  waiting.ask("/wait");
  queued.ask("/wait");
  await_begun(1);
  std::atomic<bool> is_stopped = false;
  std::thread stopper{[&] {
    server->stop();
    is_stopped = true;
  }};
  std::this_thread::sleep_for(100ms);
  CAF_CHECK(!is_stopped);
  gate.set_value();
  stopper.join();
  // What was in line is not begun any more.
  CAF_CHECK_EQUAL(begun, 1);
  CAF_CHECK(idle.is_closed());
  CAF_CHECK(waiting.is_closed());
  CAF_CHECK(!raw_http{config.port}.is_connected());
  server->stop();
  CAF_CHECK_EQUAL(start(), "");
  CAF_CHECK_EQUAL(raw_http{config.port}.get("/hello").status, 200);
}

CAF_TEST(a_handler_sees_who_asks) {
  raw_http client{port()};
  client.send("GET /who HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n"
              "Last-Event-ID: 7\r\nUser-Agent: me\r\n\r\n");
  auto body = client.read().body;
  CAF_CHECK(body.starts_with("Bearer t|7|me|127.0.0.1:"));
  CAF_CHECK(raw_http{port()}.get("/who").body.starts_with("|||127.0.0.1:"));
}

CAF_TEST(a_path_may_have_a_placeholder) {
  raw_http client{port()};
  CAF_CHECK_EQUAL(client.get("/things/a%2Fb").body, "a/b");
  CAF_CHECK_EQUAL(client.get("/things/a/b").body, "a/b");
  CAF_CHECK_EQUAL(client.get("/things/").status, 404);
}

CAF_TEST(a_response_goes_on_and_ends_with_its_connection) {
  raw_http client{port()};
  client.ask("/stream");
  auto head = client.read();
  CAF_CHECK_EQUAL(head.status, 200);
  CAF_CHECK(head.says("text/event-stream"));
  CAF_CHECK(!head.says("Content-Length"));
  CAF_CHECK(client.reads("begin\n"));
  numbers = 2;
  CAF_CHECK(client.reads("begin\n1\n2\n"));
  // Others are served meanwhile.
  CAF_CHECK_EQUAL(raw_http{port()}.get("/hello").body, "hello");
  numbers = 3;
  CAF_CHECK(client.reads("begin\n1\n2\n3\n"));
  CAF_CHECK(!client.reads("4"));
}

CAF_TEST(a_stream_ends_when_the_client_leaves) {
  {
    raw_http client{port()};
    client.ask("/stream");
    CAF_CHECK(client.reads("begin"));
    CAF_CHECK(viewer.use_count() > 1);
  }
  for (int i = 0; i < 1000 && viewer.use_count() > 1; ++i)
    std::this_thread::sleep_for(10ms);
  CAF_CHECK_EQUAL(viewer.use_count(), 1);
}

CAF_TEST(a_stream_outlasts_the_silence_that_ends_others) {
  config.idle_timeout = 300ms;
  raw_http client{port()};
  client.ask("/stream");
  CAF_CHECK(client.reads("begin"));
  std::this_thread::sleep_for(900ms);
  numbers = 1;
  CAF_CHECK(client.reads("begin\n1\n"));
}

CAF_TEST(stop_ends_streams) {
  raw_http client{port()};
  client.ask("/stream");
  CAF_CHECK(client.reads("begin"));
  server->stop();
  CAF_CHECK(!client.reads("begin\n1"));
  CAF_CHECK_EQUAL(viewer.use_count(), 1);
}

CAF_TEST(refusals_below_api_have_its_form) {
  raw_http client{port()};
  auto x = client.get("/api/v1/nothing");
  CAF_CHECK_EQUAL(x.status, 404);
  auto body = json::parse(x.body);
  CAF_REQUIRE(body && body->find("error"));
  CAF_CHECK_EQUAL(body->find("error")->string_or("code", ""), "not_found");
}

CAF_TEST_FIXTURE_SCOPE_END()
