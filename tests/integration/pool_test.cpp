// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.pool

#include "runtime/nats/jetstream.hpp"
#include "tests/client/private_server.hpp"
#include "tests/integration/crash_run.hpp"
#include "tests/seed.hpp"

#include <set>
#include <sstream>

using namespace fantail;
using namespace fantail::test;

namespace {

/// A server as somebody else has set it up: without our mapping, with a stream
/// and a subscriber of its own.
struct foreign_server {
  bench::scratch_directory directory{"fantail-test"};
  private_server server{directory.path()};
  nats::event_loop loop{"foreign"};
  nats::connection via{loop, server.options()};
  std::atomic<size_t> overheard = 0;

  foreign_server() {
    via.start();
    CAF_REQUIRE(via.wait_up(patience));
    via.subscribe("messages.send.*",
                  [this](const nats::message&) { ++overheard; });
  }

  /// A stream as its owner would make it.
  void make_stream(const std::string& name, const std::string& subject,
                   const std::string& retention = "limits") {
    auto body = json::serialize(json::object{{"name", name},
                                             {"subjects", json::array{subject}},
                                             {"retention", retention},
                                             {"storage", "file"}});
    CAF_REQUIRE(
        via.request_wait("$JS.API.STREAM.CREATE." + name, body, patience));
  }

  uint64_t stored_in(const std::string& stream) {
    auto state = nats::wait_for<nats::stream_state>(
        [&](auto done) { nats::read_stream_state(via, stream, done); });
    auto* found = std::get_if<nats::stream_state>(&state);
    return found ? found->messages : 0;
  }
};

/// nats.c sends headers in any order.
std::set<std::string> lines_of(const std::string& headers) {
  std::set<std::string> result;
  std::istringstream in{headers};
  for (std::string line; std::getline(in, line);)
    result.insert(line);
  return result;
}

node_process::settings settings_for(const foreign_server& x) {
  return {"nats.url=" + x.server.url(), "nats.stream-bytes-max=64MiB"};
}

} // namespace

CAF_TEST(events of a stream that others use arrive as published) {
  foreign_server existing;
  existing.make_stream("ORDERS", "messages.>");
  clients talk{existing.server.url()};
  // History is not news.
  talk.publish("general", "before Fantail came");
  CAF_REQUIRE(talk.all_stored());
  node_process node{settings_for(existing)};
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK(node.has_logged("input-republished"));
  receiver framed{talk, "framed", delivery_format::frame};
  receiver plain{talk, "plain", delivery_format::single};
  CAF_REQUIRE(framed.is_registered());
  CAF_REQUIRE(talk.online("ada", "a1", "framed", {"general", "random"}));
  CAF_REQUIRE(talk.online("bob", "b1", "plain", {"general"}));
  auto before = existing.overheard.load();
  std::vector<std::string> ids;
  for (int i = 0; i < 300; ++i)
    ids.push_back(talk.publish("general", std::string(1 + i, 'x')));
  CAF_REQUIRE(talk.all_stored());
  CAF_CHECK(framed.receives(ids.back()));
  CAF_CHECK(plain.receives(ids.back()));
  CAF_CHECK(framed.ids() == ids);
  CAF_CHECK(plain.ids() == ids);
  auto got = framed.all();
  for (size_t i = 0; i < got.size(); ++i)
    CAF_CHECK_EQUAL(got[i].body, std::string(1 + i, 'x'));
  CAF_CHECK_EQUAL(got[0].headers,
                  "NATS/1.0\r\nNats-Msg-Id: " + ids[0] + "\r\n\r\n");
  // Whoever was there before gets what it got before.
  CAF_CHECK_EQUAL(existing.overheard - before, 300u);
  CAF_CHECK_EQUAL(existing.stored_in("ORDERS"), 301u);
  // The owner's stream recognises a repeat; so nobody gets it twice.
  auto again = "NATS/1.0\r\nNats-Msg-Id: " + ids[0] + "\r\n\r\n";
  talk.via.request_wait("messages.send.general", "x", patience, again);
  // Headers that JetStream would obey mean nothing any more.
  auto strange = "NATS/1.0\r\nNats-Expected-Last-Sequence: 301\r\n"
                 "Nats-Msg-Id: odd\r\n\r\n";
  talk.via.request_wait("messages.send.general", "odd", patience, strange);
  CAF_CHECK(framed.receives("odd"));
  CAF_CHECK_EQUAL(framed.count(ids[0]), 1u);
  CAF_CHECK_EQUAL(lines_of(framed.all().back().headers), lines_of(strange));
  CAF_CHECK_EQUAL(node.stop(), 0);
}

CAF_TEST(a node says why it cannot share a stream) {
  foreign_server existing;
  existing.make_stream("PART", "messages.send.general");
  node_process node{settings_for(existing)};
  node.start();
  CAF_CHECK_EQUAL(node.wait_end(), 3);
  CAF_CHECK(node.has_logged("PART"));
  foreign_server queue;
  queue.make_stream("JOBS", "messages.send.*", "workqueue");
  node_process other{settings_for(queue)};
  other.start();
  CAF_CHECK_EQUAL(other.wait_end(), 3);
  CAF_CHECK(other.has_logged("workqueue"));
}

CAF_TEST(nothing is lost or twice on an existing server when a node is killed) {
  foreign_server existing;
  existing.make_stream("ORDERS", "messages.send.*");
  node_process node{settings_for(existing)};
  CAF_REQUIRE(node.start_and_wait());
  crash_run run{node, existing.server.url(), test_seed()};
  run.work(500ms);
  for (int i = 0; i < 6; ++i) {
    run.work_for_a_moment();
    node.kill_node();
    run.work_for_a_moment();
    CAF_REQUIRE(node.start_and_wait());
  }
  run.work(500ms);
  CAF_CHECK(run.all_delivered(true));
  run.check_deliveries();
  run.check_table();
  CAF_CHECK_EQUAL(node.stop(), 0);
}
