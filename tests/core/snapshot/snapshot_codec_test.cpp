// SPDX-License-Identifier: MIT
#define CAF_SUITE core.snapshot.snapshot_codec

#include "core/snapshot/byte_reader.hpp"
#include "core/snapshot/byte_writer.hpp"
#include "core/snapshot/checksum.hpp"
#include "core/snapshot/instance_names.hpp"
#include "core/snapshot/snapshot_codec.hpp"
#include "tests/core/snapshot/damage.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::test;

namespace {

snapshot_part chunk_of(std::string& bytes) {
  snapshot_part result;
  result.what = snapshot_part::role::chunk;
  result.of = source_of(shard_id{3});
  result.id = 0x1122334455667788;
  result.index = 7;
  result.first = 12'345;
  bytes.insert(0, snapshot_part_head, '\0');
  seal(result, bytes);
  return result;
}

snapshot_descriptor example() {
  snapshot_descriptor x;
  x.created_at = "2026-01-02T03:04:05.678Z";
  x.version_base = 9;
  x.image_bytes = 123'456'789;
  for (uint16_t i = 0; i < 8; ++i)
    x.logs.push_back(
        {presence_shard_id{i}, {log_life{100u + i}, log_position{200u + i}}});
  return x;
}

} // namespace

CAF_TEST(the checksum is the one zlib and PNG know) {
  CAF_CHECK_EQUAL(crc32_of("123456789"), 0xCBF43926u);
  CAF_CHECK_EQUAL(crc32_of("6789", crc32_of("12345")), 0xCBF43926u);
}

CAF_TEST(what is written in parts is read as one) {
  byte_writer out{10, 3};
  for (uint64_t i = 0; i < 50; ++i)
    out.put(i * 1'000'003);
  out.put_text("a text");
  out.put_count(3);
  CAF_CHECK_EQUAL(out.byte_count(), 50 * 8 + 7 + 8u);
  auto parts = out.take();
  std::vector<std::string_view> views;
  for (auto& x : parts) {
    CAF_CHECK(x.size() <= 10 && x.substr(0, 3) == std::string(3, '\0'));
    views.push_back(std::string_view{x}.substr(3));
  }
  byte_reader in{views};
  for (uint64_t i = 0; i < 50; ++i)
    CAF_CHECK_EQUAL(in.take<uint64_t>(), i * 1'000'003);
  CAF_CHECK_EQUAL(in.take_text(), "a text");
  CAF_CHECK_EQUAL(in.left(), 8u);
  // Three elements cannot follow, for nothing follows.
  CAF_CHECK_EQUAL(in.take_count(1), 0u);
  CAF_CHECK(!in.ok());
  CAF_CHECK_EQUAL(in.problem(), "a count is out of range");
}

CAF_TEST(memory that was prepared is used whatever is in it) {
  byte_writer out{10, 3, {std::string(10, 'x'), std::string(10, 'y')}};
  std::string text = "abcdefghijklmnopqrst";
  out.copy_from(text.data(), text.size());
  auto parts = out.take();
  CAF_REQUIRE_EQUAL(parts.size(), 3u);
  CAF_CHECK_EQUAL(parts[0], std::string(3, '\0') + "abcdefg");
  CAF_CHECK_EQUAL(parts[2], std::string(3, '\0') + "opqrst");
}

CAF_TEST(what is missing reads as zeros and an error) {
  byte_reader in{"abc"};
  CAF_CHECK_EQUAL(in.take<uint32_t>(), 0u);
  CAF_CHECK_EQUAL(in.problem(), "the bytes end too early");
  CAF_CHECK_EQUAL(in.take<uint8_t>(), 0);
  CAF_CHECK_EQUAL(in.left(), 0u);
}

CAF_TEST(a part comes back as it was sealed) {
  std::string bytes = "payload", why;
  auto part = chunk_of(bytes);
  auto read = read_part(bytes, why);
  CAF_REQUIRE(read);
  CAF_CHECK_EQUAL(read->payload, "payload");
  CAF_CHECK(read->what == part.what && read->of == part.of
            && read->id == part.id && read->index == part.index
            && read->first == part.first);
}

CAF_TEST(every flipped bit and every cut of a part is found) {
  std::string bytes = "some payload", why;
  chunk_of(bytes);
  size_t missed = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto x = bytes;
    x[bit / 8] ^= static_cast<char>(1 << bit % 8);
    missed += read_part(x, why).has_value();
  }
  for (size_t size = 0; size < bytes.size(); ++size)
    missed += read_part(bytes.substr(0, size), why).has_value();
  missed += read_part(bytes + "x", why).has_value();
  CAF_CHECK_EQUAL(missed, 0u);
  CAF_CHECK(!why.empty());
}

CAF_TEST(a descriptor comes back as it was and damage is no crash) {
  auto x = example();
  auto bytes = encode(x).substr(snapshot_part_head);
  std::string why;
  auto read = decode_descriptor(bytes, why);
  CAF_REQUIRE(read);
  CAF_CHECK(*read == x);
  CAF_CHECK(read->log_of(presence_shard_id{3}).up_to == log_position{203});
  CAF_CHECK(read->log_of(presence_shard_id{8}) == log_progress{});
  auto found = load_damaged(bytes, test_seed(), 2'000, [](byte_reader& in) {
    std::string all(in.left(), '\0'), reason;
    in.copy_to(all.data(), all.size());
    if (!decode_descriptor(all, reason))
      in.fail(reason);
  });
  CAF_CHECK(found > 500);
}

CAF_TEST(names travel with their numbers) {
  instance_directory before, after;
  for (auto* name : {"a", "b", "c"})
    before.intern(name);
  after.intern("c");
  byte_writer out;
  save_instances(before, out);
  auto parts = out.take();
  byte_reader in{parts.front()};
  auto numbers = load_instances(in, after);
  CAF_CHECK(in.ok() && in.left() == 0);
  CAF_CHECK((
      numbers
      == std::vector{instance_index{1}, instance_index{2}, instance_index{0}}));
  instance_directory empty;
  auto found
      = load_damaged(parts.front(), test_seed(), 500, [](byte_reader& x) {
          instance_directory into;
          load_instances(x, into);
        });
  CAF_CHECK(found > 100);
}
