// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.bench_parts

#include "bench/channel_map.hpp"
#include "bench/chat_body.hpp"
#include "bench/floor_options.hpp"
#include "bench/http_get.hpp"
#include "bench/latency_json.hpp"
#include "bench/machine_facts.hpp"
#include "bench/open_loop.hpp"
#include "bench/population.hpp"
#include "tests/runtime/boot/scratch_directory.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <unistd.h>

#include <filesystem>
#include <random>
#include <set>

using namespace fantail;
using namespace fantail::bench;

namespace {

std::vector<std::set<uint16_t>> instances_by_channel(const population& world) {
  std::vector<std::set<uint16_t>> result(world.config().channels);
  std::vector<uint32_t> channels;
  for (uint32_t user = 0; user < world.config().users; ++user) {
    world.channels_of(user, channels);
    for (auto channel : channels)
      result[channel].insert(world.instance_of(user));
  }
  return result;
}

} // namespace

CAF_TEST(the map of the floor is the spread of the population) {
  population_config config;
  config.users = 210;
  config.channels = 503;
  config.instances = 7;
  config.channels_per_user = 60;
  config.shape = membership_shape::spread;
  config.spread = 3;
  population world{config};
  CAF_REQUIRE(world.has_exact_spread());
  auto expected = instances_by_channel(world);
  channel_map map{{config.channels, config.instances, config.spread}};
  for (uint32_t channel = 0; channel < config.channels; ++channel) {
    auto found = map.instances_of(channel);
    CAF_REQUIRE_EQUAL(std::set<uint16_t>(found.begin(), found.end()),
                      expected[channel]);
  }
}

CAF_TEST(a map of any shape is the population and survives its file) {
  population_config config;
  config.users = 60;
  config.channels = 200;
  config.instances = 7;
  config.channels_per_user = 5;
  population world{config};
  channel_map map{world};
  auto expected = instances_by_channel(world);
  size_t cells = 0;
  for (uint32_t channel = 0; channel < config.channels; ++channel) {
    auto found = map.instances_of(channel);
    CAF_REQUIRE_EQUAL(std::set<uint16_t>(found.begin(), found.end()),
                      expected[channel]);
    cells += found.size();
  }
  CAF_CHECK_EQUAL(map.spread(), static_cast<double>(cells) / config.channels);
  scratch_directory directory;
  auto path = directory.path + "/map";
  CAF_REQUIRE(map.save(path));
  CAF_CHECK(channel_map::load(path) == map);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  CAF_CHECK(!channel_map::load(path));
  CAF_CHECK(!channel_map::load(directory.path + "/none"));
}

CAF_TEST(a channel is known by its number) {
  CAF_CHECK(channel_number(population::channel_name(42)) == 42u);
  CAF_CHECK(channel_number("ch_00000000") == 0u);
  for (auto* name : {"", "ch_", "ch_x", "ch_1x", "room_1", "ch_99999999999"})
    CAF_CHECK(!channel_number(name));
}

CAF_TEST(a body carries its time and keeps its size) {
  for (size_t bytes : {size_t{0}, size_t{160}, size_t{300}, size_t{5'000}}) {
    chat_body body{bytes};
    auto text = body.stamp(1'234'567'890'123'456'789, 42);
    CAF_CHECK_EQUAL(text.size(), std::max(bytes, chat_body::bytes_min));
    CAF_CHECK(json::parse(text).has_value());
    CAF_CHECK(chat_body::intended_at_ns(text) == 1'234'567'890'123'456'789);
    CAF_CHECK(chat_body::intended_at_ns(body.stamp(7, 1)) == 7);
  }
  CAF_CHECK(!chat_body::intended_at_ns("{}"));
  CAF_CHECK(!chat_body::intended_at_ns(std::string(300, 'x')));
}

CAF_TEST(an open loop keeps its times) {
  for (auto rate : {0.5, 3.0, 1'000.0, 50'000.0, 333'333.0}) {
    open_loop plan{1'000, rate};
    CAF_CHECK_EQUAL(plan.due(0), 0u);
    CAF_CHECK_EQUAL(plan.due(1'000), 1u);
    for (uint64_t i = 0; i < 100'000; i += 7) {
      auto at = plan.intended_at(i);
      CAF_REQUIRE_EQUAL(plan.due(at), i + 1);
      CAF_REQUIRE_EQUAL(plan.due(at - 1), i);
    }
  }
}

CAF_TEST(options of the floor survive the command line) {
  floor_options x;
  x.url = "nats://127.0.0.1:4222";
  x.consumer = "FLOOR1";
  x.shards = 3;
  x.output = floor_output::single;
  x.placement = {1'000, 30, 7};
  x.events_per_pull = 100;
  x.frame_bytes_max = 1'000;
  std::string why;
  auto read = floor_options_from(to_words(x), why);
  CAF_REQUIRE_EQUAL(why, "");
  CAF_CHECK(read == x);
}

CAF_TEST(words the floor does not know are refused) {
  for (auto* word : {"shards", "shards=", "shards=x", "shards=70000",
                     "spread=0", "output=loud", "no-such-key=1", "spread=30"}) {
    std::string why;
    CAF_CHECK(!floor_options_from({word}, why));
    CAF_CHECK(!why.empty());
  }
}

CAF_TEST(latencies survive their JSON) {
  histogram x;
  for (int i = 1; i <= 1'000; ++i)
    x.record(i * 1'000);
  auto before = summarize(x);
  auto after = latency_from_json(to_json(before));
  CAF_CHECK_EQUAL(after.count, 1'000u);
  CAF_CHECK_EQUAL(after.p50_ns, before.p50_ns);
  CAF_CHECK_EQUAL(after.p999_ns, before.p999_ns);
  CAF_CHECK_EQUAL(after.max_ns, 1'000'000u);
  CAF_CHECK_EQUAL(latency_from_json(json::object{}).count, 0u);
}

CAF_TEST(answers of HTTP are taken apart) {
  auto plain = parse_http_answer("HTTP/1.1 503 Busy\r\nX: y\r\n\r\nbody");
  CAF_REQUIRE(plain.has_value());
  CAF_CHECK_EQUAL(plain->status, 503);
  CAF_CHECK_EQUAL(plain->body, "body");
  auto chunked = parse_http_answer(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n");
  CAF_REQUIRE(chunked.has_value());
  CAF_CHECK_EQUAL(chunked->body, "abc0123456789");
}

CAF_TEST(arbitrary bytes are no answer of HTTP and harmless) {
  for (auto* text : {"", "HTTP/1.1 200", "nonsense", "\r\n\r\n"})
    CAF_CHECK(!parse_http_answer(text));
  std::mt19937_64 random{test_seed()};
  std::string good = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n0\r\n\r\n";
  for (int round = 0; round < 20'000; ++round) {
    auto text = good.substr(0, random() % (good.size() + 1));
    if (!text.empty())
      text[random() % text.size()] = static_cast<char>(random());
    parse_http_answer(text);
  }
}

CAF_TEST(nobody answers on a free port) {
  auto port = free_port();
  CAF_CHECK_GREATER(port, 0);
  CAF_CHECK(!http_get(port, "/", std::chrono::seconds{1}));
}

CAF_TEST(the machine is known) {
  auto facts = read_machine_facts();
  CAF_CHECK_GREATER(facts.cores, 0u);
  CAF_CHECK_GREATER(facts.memory_bytes, 0u);
  CAF_CHECK(!facts.kernel.empty());
  CAF_CHECK_GREATER(usage_of(::getpid()).resident_bytes, 0u);
  CAF_CHECK_EQUAL(usage_of(-1).resident_bytes, 0u);
}
