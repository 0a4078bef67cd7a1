// SPDX-License-Identifier: MIT
#include "bench/test_bed.hpp"

#include "core/subject.hpp"
#include "runtime/nats/jetstream.hpp"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

namespace fantail::bench {

namespace {

/// Room for what all streams of a node reserve.
constexpr uint64_t store_bytes_max = 24ull << 30;
constexpr int64_t stream_bytes_max = int64_t{512} << 20;
constexpr auto connect_timeout = 5s;
constexpr auto api_timeout = 10s;

/// The result of an asynchronous call, or an error in words.
template <class T, class Call>
T wait_or_throw(const std::string& what, Call call) {
  auto result = nats::wait_for<T>(std::move(call));
  if (auto* error = std::get_if<nats::api_error>(&result))
    throw bench_error{what + ": " + error->text};
  return std::get<T>(std::move(result));
}

} // namespace

std::string_view to_string(storage_kind x) {
  return x == storage_kind::memory ? "memory" : "file";
}

scratch_directory::scratch_directory(const std::string& prefix) {
  auto path = (std::filesystem::temp_directory_path() / (prefix + "-XXXXXX"))
                  .string();
  if (!::mkdtemp(path.data()))
    throw bench_error{"cannot make " + path + ": " + std::strerror(errno)};
  path_ = path;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

test_bed::test_bed(test_bed_options options)
    : options_(std::move(options)), directory_("fantail-bench"),
      loop_("bench-control") {
  embedded_server_config config;
  config.program = options_.server_program;
  config.state_directory = directory_.path() + "/server";
  config.shards = options_.shards;
  config.presence_shards = options_.presence_shards;
  config.store_bytes_max = store_bytes_max;
  std::filesystem::create_directories(config.state_directory);
  auto started = embedded_server::start(std::move(config));
  if (auto* why = std::get_if<std::string>(&started))
    throw bench_error{*why};
  server_ = std::move(std::get<0>(started));
  control_ = connect(loop_, "fantail bench control");
  create_streams();
}

test_bed::~test_bed() {
  control_ = nullptr;
}

std::unique_ptr<nats::connection>
test_bed::connect(nats::event_loop& loop, const std::string& name) const {
  return connect_to(loop, url(), name);
}

std::unique_ptr<nats::connection> connect_to(nats::event_loop& loop,
                                             const std::string& url,
                                             const std::string& name) {
  nats::connect_options options;
  options.url = url;
  options.name = name;
  auto result = std::make_unique<nats::connection>(loop, std::move(options));
  result->start();
  if (!result->wait_up(connect_timeout))
    throw bench_error{"no connection to the nats-server of the benchmark"};
  return result;
}

void test_bed::create_streams() {
  auto create = [this](const nats::stream_config& config) {
    wait_or_throw<nats::stream_ensured>(
        "stream " + config.name, [&](auto handler) {
          nats::ensure_stream(*control_, config, std::move(handler));
        });
  };
  nats::stream_config config;
  config.bytes_max = stream_bytes_max;
  config.duplicate_window = 2min;
  for (uint16_t shard = 0; shard < options_.presence_shards; ++shard) {
    config.name = subjects::presence_stream(shard);
    config.subjects = {subjects::presence_prefix(shard) + "*"};
    create(config);
  }
  config.in_memory = options_.storage == storage_kind::memory;
  config.age_max = 10min;
  for (uint16_t shard = 0; shard < options_.shards; ++shard) {
    config.name = subjects::shard_stream(shard);
    config.subjects = {subjects::shard_prefix(shard) + "*"};
    create(config);
  }
}

std::vector<uint64_t> test_bed::heads() {
  std::vector<uint64_t> result;
  for (uint16_t shard = 0; shard < options_.shards; ++shard) {
    auto name = subjects::shard_stream(shard);
    auto state = wait_or_throw<nats::stream_state>(
        "stream " + name, [&](auto handler) {
          nats::read_stream_state(*control_, name, std::move(handler));
        });
    result.push_back(state.last);
  }
  return result;
}

void test_bed::forget_events() {
  for (uint16_t shard = 0; shard < options_.shards; ++shard) {
    auto subject = "$JS.API.STREAM.PURGE." + subjects::shard_stream(shard);
    if (!control_->request_wait(subject, "{}", api_timeout))
      throw bench_error{"the server does not purge a stream"};
  }
}

void test_bed::create_consumers(const std::string& name,
                                const std::vector<uint64_t>& positions) {
  for (uint16_t shard = 0; shard < options_.shards; ++shard) {
    nats::consumer_config config;
    config.stream = subjects::shard_stream(shard);
    config.name = name + "_" + std::to_string(shard);
    config.start = positions.at(shard) + 1;
    wait_or_throw<std::monostate>("consumer " + config.name, [&](auto handler) {
      nats::create_consumer(*control_, config, std::move(handler));
    });
  }
}

void test_bed::delete_consumers(const std::string& name) {
  for (uint16_t shard = 0; shard < options_.shards; ++shard)
    nats::delete_consumer(*control_, subjects::shard_stream(shard),
                          name + "_" + std::to_string(shard));
}

} // namespace fantail::bench
