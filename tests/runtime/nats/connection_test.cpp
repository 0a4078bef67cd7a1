// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.nats.connection

#include "runtime/nats/connection.hpp"
#include "tests/client/private_server.hpp"

#include "caf/test/unit_test.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

using namespace fantail;
using namespace fantail::nats;
using namespace std::chrono_literals;

namespace {

/// What a handler heard, for a test that waits.
class mailbox {
public:
  struct letter {
    std::string subject, reply, headers, body;
  };

  void put(const message& x) {
    std::lock_guard guard{mutex_};
    letters_.push_back({std::string{x.subject}, std::string{x.reply},
                        std::string{x.headers}, std::string{x.body}});
    changed_.notify_all();
  }

  std::vector<letter> wait(size_t count, duration timeout = 10s) {
    std::unique_lock guard{mutex_};
    changed_.wait_for(guard, timeout, [&] { return letters_.size() >= count; });
    return letters_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<letter> letters_;
};

struct fixture {
  test::private_server server;
  event_loop loop{"test-nats"};
  mailbox heard;
  std::mutex mutex;
  std::vector<uint64_t> ups, downs;
  std::unique_ptr<connection> tested;

  fixture() {
    connection::handlers on;
    on.on_up = [this](uint64_t life) {
      std::lock_guard guard{mutex};
      ups.push_back(life);
    };
    on.on_down = [this](uint64_t life, const std::string&) {
      std::lock_guard guard{mutex};
      if (life > 0)
        downs.push_back(life);
    };
    tested
        = std::make_unique<connection>(loop, server.options(), std::move(on));
    tested->start();
    CAF_REQUIRE(tested->wait_up(10s));
  }

  ~fixture() { tested = nullptr; }

  void listen(const std::string& subject) {
    tested->subscribe(subject, [this](const message& x) { heard.put(x); });
  }

  void send(std::string_view subject, std::string_view body,
            std::string_view headers = {}) {
    CAF_REQUIRE(tested->publish(subject, body, {}, headers));
    tested->flush();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(connection_tests, fixture)

CAF_TEST(messages_of_a_subscription_come_in_order) {
  constexpr size_t count = 20'000;
  listen("order.*");
  for (size_t i = 0; i < count; ++i) {
    CAF_REQUIRE(
        tested->publish("order." + std::to_string(i % 7), std::to_string(i)));
    if (i % 100 == 0)
      tested->flush();
  }
  tested->flush();
  auto got = heard.wait(count);
  CAF_REQUIRE_EQUAL(got.size(), count);
  for (size_t i = 0; i < count; ++i)
    CAF_REQUIRE_EQUAL(got[i].body, std::to_string(i));
}

CAF_TEST(headers_come_as_they_were_published) {
  listen("h");
  std::string block = "NATS/1.0\r\nNats-Msg-Id: e 1\r\nA: b\r\n\r\n";
  send("h", "body", block);
  send("h", "no headers");
  // nats.c cuts the headers of a message without data to pieces.
  send("h", "", block);
  send("h", "");
  auto got = heard.wait(4);
  CAF_REQUIRE_EQUAL(got.size(), 4u);
  auto has = [](const mailbox::letter& x, std::string_view line) {
    return x.headers.find(line) != std::string::npos;
  };
  for (auto i : {size_t{0}, size_t{2}}) {
    CAF_CHECK(got[i].headers.starts_with("NATS/1.0\r\n"));
    CAF_CHECK(got[i].headers.ends_with("\r\n\r\n"));
    CAF_CHECK(has(got[i], "\r\nNats-Msg-Id: e 1\r\n"));
    CAF_CHECK(has(got[i], "\r\nA: b\r\n"));
    CAF_CHECK_EQUAL(got[i].headers.find('\0'), std::string::npos);
  }
  CAF_CHECK_EQUAL(got[0].body, "body");
  CAF_CHECK_EQUAL(got[1].headers, "");
  CAF_CHECK_EQUAL(got[2].body, "");
  CAF_CHECK_EQUAL(got[3].headers, "");
}

CAF_TEST(bytes_of_any_kind_pass) {
  listen("bytes");
  std::string body;
  for (int i = 0; i < 256; ++i)
    body += static_cast<char>(i);
  body += std::string(500'000, '\0');
  send("bytes", body);
  auto got = heard.wait(1);
  CAF_REQUIRE_EQUAL(got.size(), 1u);
  CAF_CHECK(got[0].body == body);
  CAF_CHECK_EQUAL(tested->payload_bytes_max(), 1024u * 1024);
}

CAF_TEST(a_request_gets_its_own_answer) {
  tested->subscribe("echo", [this](const message& x) {
    tested->publish(x.reply, "to " + std::string{x.body});
    tested->flush();
  });
  for (int i = 0; i < 50; ++i) {
    auto body = std::to_string(i);
    CAF_CHECK_EQUAL(tested->request_wait("echo", body, 5s).value_or("none"),
                    "to " + body);
  }
}

CAF_TEST(requests_that_nobody_hears_hold_no_answer_back) {
  tested->subscribe("echo", [this](const message& x) {
    tested->publish(x.reply, x.body);
    tested->flush();
  });
  std::atomic<int> unheard = 0, answered = 0;
  for (int i = 0; i < 20; ++i) {
    tested->request("nobody", "?", 1s,
                    [&](const message* x) { unheard += x == nullptr; });
    tested->request("echo", "!", 20s,
                    [&](const message* x) { answered += x != nullptr; });
  }
  for (int i = 0; i < 500 && unheard + answered < 40; ++i)
    std::this_thread::sleep_for(10ms);
  CAF_CHECK_EQUAL(unheard, 20);
  CAF_CHECK_EQUAL(answered, 20);
}

CAF_TEST(a_request_without_an_answer_times_out) {
  listen("silent");
  auto begin = std::chrono::steady_clock::now();
  CAF_CHECK(!tested->request_wait("silent", "?", 300ms));
  CAF_CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
}

CAF_TEST(a_handler_that_throws_ends_its_life_alone) {
  std::atomic<int> failures = 0;
  auto options = server.options();
  options.on_handler_failed = [&](const std::string& reason) {
    failures += reason == "on purpose";
  };
  tested = std::make_unique<connection>(loop, options);
  tested->start();
  CAF_REQUIRE(tested->wait_up(10s));
  connection other{loop, server.options()};
  other.start();
  CAF_REQUIRE(other.wait_up(10s));
  auto life = tested->life();
  tested->subscribe("fragile", [this](const message& x) {
    if (x.body == "break")
      throw std::runtime_error("on purpose");
    heard.put(x);
  });
  send("fragile", "before");
  CAF_REQUIRE_EQUAL(heard.wait(1).size(), 1u);
  send("fragile", "break");
  for (int i = 0; i < 500 && tested->life() == life; ++i)
    std::this_thread::sleep_for(10ms);
  CAF_REQUIRE(tested->wait_up(10s));
  CAF_CHECK_EQUAL(tested->life(), life + 1);
  CAF_CHECK_EQUAL(failures, 1);
  send("fragile", "after");
  auto got = heard.wait(2);
  CAF_REQUIRE_EQUAL(got.size(), 2u);
  CAF_CHECK_EQUAL(got[1].body, "after");
  CAF_CHECK(other.is_up());
  CAF_CHECK_EQUAL(other.life(), 1u);
}

CAF_TEST(a_killed_server_ends_the_life_and_a_new_one_begins) {
  listen("again");
  auto life = tested->life();
  server.kill();
  for (int i = 0; i < 500 && tested->is_up(); ++i)
    std::this_thread::sleep_for(10ms);
  CAF_REQUIRE(!tested->is_up());
  // What is published while cut off is never sent.
  CAF_CHECK(!tested->publish("again", "lost"));
  CAF_CHECK(!tested->request_wait("again", "lost", 5s));
  server.restart();
  CAF_REQUIRE(tested->wait_up(20s));
  CAF_CHECK_EQUAL(tested->life(), life + 1);
  send("again", "found");
  auto got = heard.wait(1);
  CAF_REQUIRE_EQUAL(got.size(), 1u);
  CAF_CHECK_EQUAL(got[0].body, "found");
  std::lock_guard guard{mutex};
  CAF_CHECK_EQUAL(ups, (std::vector{life, life + 1}));
  CAF_CHECK_EQUAL(downs, std::vector{life});
}

CAF_TEST(threads_may_flush_at_the_same_time) {
  // nats.c takes a write of nothing for a closed socket.
  constexpr size_t threads = 4, each = 5'000;
  listen("many");
  auto life = tested->life();
  std::vector<std::thread> senders;
  for (size_t t = 0; t < threads; ++t)
    senders.emplace_back([this] {
      for (size_t i = 0; i < each; ++i) {
        tested->publish("many", "x");
        tested->flush();
      }
    });
  for (auto& x : senders)
    x.join();
  CAF_CHECK_EQUAL(heard.wait(threads * each).size(), threads * each);
  CAF_CHECK_EQUAL(tested->life(), life);
}

CAF_TEST(a_handler_may_end_its_own_subscription) {
  tested->subscribe("once", [this](const message& x) {
    heard.put(x);
    tested->unsubscribe("once");
  });
  listen("last");
  for (int i = 0; i < 10; ++i)
    CAF_REQUIRE(tested->publish("once", "x"));
  send("last", "end");
  heard.wait(2);
  std::this_thread::sleep_for(100ms);
  CAF_CHECK_EQUAL(heard.wait(2).size(), 2u);
  tested->unsubscribe("never subscribed");
}

CAF_TEST(inboxes_are_fresh) {
  auto a = tested->new_inbox();
  auto b = tested->new_inbox();
  CAF_CHECK_NOT_EQUAL(a, b);
  CAF_CHECK(a.starts_with("_INBOX."));
}

CAF_TEST_FIXTURE_SCOPE_END()
