// SPDX-License-Identifier: MIT
#define CAF_SUITE core.snapshot.snapshot_reader

#include "core/snapshot/byte_writer.hpp"
#include "core/snapshot/snapshot_reader.hpp"
#include "tests/core/snapshot/part_stream.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;
using namespace fantail::test;

namespace {

constexpr snapshot_source of{snapshot_source::kind::routing, 3};

struct fixture {
  /// An image of `size` bytes that begins with `mark`, in small chunks.
  snapshot_writer writer_of(char mark, size_t size) {
    byte_writer out{snapshot_part_head + 100, snapshot_part_head};
    out.copy_from(std::string(size, mark).data(), size);
    snapshot_descriptor about;
    about.logs.emplace_back(presence_shard_id{1},
                            log_progress{log_life{1}, log_position{++ids}});
    return {of, ids, about, out.take()};
  }

  /// Writes it, or only the first `parts` messages of it.
  std::optional<stored_snapshot> write(char mark, size_t size,
                                       size_t parts = SIZE_MAX) {
    auto writer = writer_of(mark, size);
    for (; parts > 0; --parts) {
      auto part = writer.next(1'000);
      if (!part)
        break;
      writer.stored(stream.append(std::move(*part)));
    }
    return writer.is_complete() ? std::optional{writer.result()} : std::nullopt;
  }

  std::string image(const stored_snapshot& x) {
    auto parts = stream.read(x);
    auto in = parts.image();
    std::string result(in.left(), '\0');
    in.copy_to(result.data(), result.size());
    return in.ok() ? result : "damaged: " + in.problem();
  }

  /// The image of the newest good snapshot.
  std::string newest() {
    auto search = stream.search(of);
    for (auto& x : search.found())
      if (auto result = image(x); !result.starts_with("damaged"))
        return result;
    return {};
  }

  part_stream stream;
  uint64_t ids = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(snapshot_reader_tests, fixture)

CAF_TEST(the newest complete snapshot is found from the end) {
  CAF_CHECK(stream.search(of).found().empty());
  write('a', 1'000);
  auto second = write('b', 5);
  auto third = write('c', 0);
  CAF_REQUIRE(second && third);
  auto found = stream.search(of);
  CAF_REQUIRE_EQUAL(found.found().size(), 3u);
  CAF_CHECK(found.problems().empty());
  CAF_CHECK(found.found()[1].about == second->about);
  CAF_CHECK_EQUAL(found.found()[1].first, second->first);
  CAF_CHECK_EQUAL(image(found.found()[0]), "");
  CAF_CHECK_EQUAL(image(found.found()[1]), "bbbbb");
  CAF_CHECK_EQUAL(image(found.found()[2]), std::string(1'000, 'a'));
  CAF_CHECK_EQUAL(stream.search(of, 2).found().size(), 2u);
}

CAF_TEST(no more is under way than permitted and the trailer comes last) {
  auto writer = writer_of('a', 5'000);
  auto header = writer.next(400);
  CAF_CHECK(header && !writer.next(400));
  writer.stored(7);
  size_t handed_out = 0, most = 0;
  std::string last;
  while (!writer.is_complete()) {
    while (auto part = writer.next(400)) {
      ++handed_out;
      last = *part;
      most = std::max(most, writer.bytes_under_way());
    }
    writer.stored(7 + handed_out);
  }
  CAF_CHECK(most <= 400);
  CAF_CHECK_EQUAL(handed_out, 51u);
  std::string why;
  CAF_CHECK(read_part(last, why)->what == snapshot_part::role::trailer);
  CAF_CHECK_EQUAL(writer.result().first, 7u);
  CAF_CHECK_EQUAL(writer.result().about.image_bytes, 5'000u);
}

CAF_TEST(a half written snapshot is told and the one before it is taken) {
  for (size_t parts : {1, 2, 5, 11}) {
    stream = {};
    write('a', 950);
    write('b', 1'000, parts);
    auto found = stream.search(of);
    CAF_CHECK_EQUAL(found.found().size(), 1u);
    CAF_CHECK_EQUAL(found.problems().size(), 1u);
    CAF_CHECK_EQUAL(newest(), std::string(950, 'a'));
    // What comes behind it is not disturbed.
    write('c', 300);
    CAF_CHECK_EQUAL(newest(), std::string(300, 'c'));
    CAF_CHECK_EQUAL(stream.search(of).found().size(), 2u);
  }
}

CAF_TEST(parts of an attempt given up may stand between) {
  auto late = writer_of('x', 500);
  auto header = late.next(1'000);
  late.stored(stream.append(*header));
  auto writer = writer_of('a', 950);
  while (auto part = writer.next(1)) {
    writer.stored(stream.append(std::move(*part)));
    if (auto more = late.next(1))
      stream.append(std::move(*more));
  }
  CAF_REQUIRE(writer.is_complete());
  CAF_CHECK_EQUAL(image(writer.result()), std::string(950, 'a'));
}

CAF_TEST(a head that was purged ends the search) {
  write('a', 1'000);
  auto second = write('b', 1'000);
  stream.trim(second->first - 3);
  CAF_CHECK_EQUAL(stream.search(of).found().size(), 1u);
  CAF_CHECK_EQUAL(newest(), std::string(1'000, 'b'));
  stream.trim(second->first + 1);
  CAF_CHECK(stream.search(of).found().empty());
  CAF_CHECK_EQUAL(newest(), "");
}

CAF_TEST(every damage of the newest one leads to the one before) {
  std::mt19937_64 random{test_seed()};
  write('a', 1'234);
  auto second = write('b', 1'234);
  auto whole = stream;
  for (auto at = second->first; at <= second->last; ++at)
    for (int way = 0; way < 3; ++way) {
      stream = whole;
      auto& message = stream.parts[at];
      if (way == 0)
        message[random() % message.size()]
            ^= static_cast<char>(1 << random() % 8);
      else if (way == 1)
        message.resize(random() % message.size());
      else
        stream.parts.erase(at);
      CAF_CHECK_EQUAL(newest(), std::string(1'234, 'a'));
    }
  // The parts are there, but in another order.
  stream = whole;
  std::swap(stream.parts[second->first + 2], stream.parts[second->first + 3]);
  CAF_CHECK_EQUAL(newest(), std::string(1'234, 'a'));
}

CAF_TEST(a stream of another shard is refused) {
  write('a', 100);
  auto found = stream.search({snapshot_source::kind::presence, 3});
  CAF_CHECK(found.found().empty() && !found.problems().empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
