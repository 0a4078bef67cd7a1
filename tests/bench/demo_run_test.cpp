// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.demo_run

#include "bench/demo/demo.hpp"
#include "core/json.hpp"
#include "tests/client/fake_fantail.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <zlib.h>

#include <filesystem>
#include <random>
#include <sstream>
#include <thread>

using namespace fantail;
using namespace fantail::test;

namespace {

/// Two seconds of talk in six rooms.
std::string make_trace(uint64_t seed) {
  std::mt19937_64 random{seed};
  std::ostringstream out;
  out << "t_ms,kind,channel,user,bytes\n";
  for (int at_ms = 0; at_ms < 2'000; ++at_ms) {
    auto dice = random() % 20;
    auto kind = dice == 0 ? "join" : dice <= 2 ? "leave" : "msg";
    out << at_ms << "," << kind << ",ch_" << random() % 6 << ",usr_"
        << random() % 40 << "," << random() % 200 << "\n";
  }
  return out.str();
}

struct fixture {
  private_server server;
  fake_fantail fantail{server};
  std::string path
      = std::filesystem::temp_directory_path() / "fantail-trace-XXXXXX";
  std::FILE* out = std::tmpfile();
  demo_options options;
  std::atomic<bool> stop = false;

  fixture() {
    auto text = make_trace(test_seed());
    ::close(::mkstemp(path.data()));
    auto file = gzopen(path.c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    options.nats_url = server.url();
    options.trace_path = path;
    options.speed = 1;
    options.instances = 5;
    options.json = true;
    options.out = out;
    options.stop = &stop;
  }

  ~fixture() {
    std::fclose(out);
    ::unlink(path.c_str());
  }

  template <class Fault, class Decision>
  void err(Fault fake_fantail::faults::*fault, Decision decide) {
    std::lock_guard guard{fantail.mutex};
    fantail.fault.*fault = decide;
  }

  /// What the demo said, for whoever wonders about its exit code.
  void show() {
    std::rewind(out);
    char line[4096];
    while (std::fgets(line, sizeof line, out))
      CAF_MESSAGE(line);
  }

  /// The last line of the output.
  json::value verdict() {
    std::rewind(out);
    char line[4096];
    std::string last;
    while (std::fgets(line, sizeof line, out))
      last = line;
    auto result = json::parse(last);
    CAF_REQUIRE(result.has_value());
    return *result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(demo_run_tests, fixture)

CAF_TEST(a faithful router passes) {
  CAF_CHECK_EQUAL(run_demo(options), 0);
  auto end = verdict();
  CAF_CHECK_EQUAL(end.string_or("verdict", ""), "pass");
  CAF_CHECK(end.int_or("stored", 0) > 1'500);
  CAF_CHECK(end.int_or("expected", 0) > 1'500);
  CAF_CHECK_EQUAL(end.int_or("repeats_single", -1), 0);
  CAF_CHECK(!end.bool_or("cut_short", true));
}

CAF_TEST(as fast as possible is also checked) {
  options.speed = 1e9;
  options.scale = 3;
  CAF_CHECK_EQUAL(run_demo(options), 0);
  CAF_CHECK(verdict().int_or("stored", 0) > 4'500);
  CAF_CHECK(!verdict().bool_or("cut_short", true));
}

CAF_TEST(lost frames and answers cost time and no event) {
  std::mt19937_64 random{test_seed()};
  auto sometimes = [&] {
    return random() % 50 == 0;
  };
  options.speed = 10;
  options.instances = 1;
  err(&fake_fantail::faults::loses_delivery, sometimes);
  err(&fake_fantail::faults::loses_publish_ack, sometimes);
  auto code = run_demo(options);
  CAF_CHECK_EQUAL(code, 0);
  if (code != 0)
    show();
  CAF_CHECK_EQUAL(verdict().int_or("missed", -1), 0);
}

CAF_TEST(one delivery in excess fails) {
  // There are 40 users, so nobody lives on the instances behind them.
  options.instances = 42;
  int count = 0;
  err(&fake_fantail::faults::delivers_in_excess, [&](auto& instance) {
    return instance.starts_with("notif-041") && ++count == 1;
  });
  CAF_CHECK_EQUAL(run_demo(options), 1);
  CAF_CHECK_EQUAL(verdict().int_or("excess", 0), 1);
}

CAF_TEST(a repeat in the format single is told and passes) {
  int count = 0;
  err(&fake_fantail::faults::delivers_twice, [&] { return ++count == 100; });
  CAF_CHECK_EQUAL(run_demo(options), 0);
  CAF_CHECK_EQUAL(verdict().int_or("repeats_single", 0), 1);
}

CAF_TEST(a demo that is stopped early ends with a verdict on what it played) {
  options.speed = 0.1;
  std::thread user{[this] {
    std::this_thread::sleep_for(std::chrono::seconds{2});
    stop = true;
  }};
  CAF_CHECK_EQUAL(run_demo(options), 0);
  user.join();
  CAF_CHECK(verdict().bool_or("interrupted", false));
}

CAF_TEST(options out of range and missing files are refused) {
  auto bad = options;
  bad.speed = 0;
  CAF_CHECK_EQUAL(run_demo(bad), 2);
  bad = options;
  bad.instances = 0;
  CAF_CHECK_EQUAL(run_demo(bad), 2);
  bad = options;
  bad.trace_path = "/nonexistent.gz";
  CAF_CHECK_EQUAL(run_demo(bad), 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
