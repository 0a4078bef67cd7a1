// SPDX-License-Identifier: MIT
#define CAF_SUITE api.admin_token

#include "api/admin_token.hpp"
#include "bench/test_bed.hpp"

#include "caf/test/unit_test.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace fantail;

namespace {

struct fixture {
  bench::scratch_directory directory{"fantail-test"};
  std::string path = directory.path() + "/admin.token";

  admin_token open(bool may_create = true) {
    auto result = admin_token::open(path, may_create);
    if (auto* why = std::get_if<std::string>(&result))
      CAF_FAIL(*why);
    return std::get<admin_token>(result);
  }
  std::string problem(bool may_create = true) {
    auto result = admin_token::open(path, may_create);
    auto* why = std::get_if<std::string>(&result);
    return why ? *why : "";
  }
  void write(const std::string& text) { std::ofstream{path} << text; }
  std::string read() {
    std::stringstream result;
    result << std::ifstream{path}.rdbuf();
    return result.str();
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(tests, fixture)

CAF_TEST(the first start makes a token that only its owner can read) {
  auto token = open();
  struct stat about {};
  CAF_REQUIRE_EQUAL(::stat(path.c_str(), &about), 0);
  CAF_CHECK_EQUAL(about.st_mode & 0777u, 0600u);
  auto text = read();
  CAF_CHECK_EQUAL(text.size(), 49u);
  text.pop_back();
  CAF_CHECK(token.is_in("Bearer " + text));
  CAF_CHECK_EQUAL(token.path(), path);
}

CAF_TEST(the next start takes the same token) {
  open();
  auto text = read();
  auto again = open();
  CAF_CHECK_EQUAL(read(), text);
  text.pop_back();
  CAF_CHECK(again.is_in("Bearer " + text));
}

CAF_TEST(no two nodes have the same token) {
  open();
  auto first = read();
  std::filesystem::remove(path);
  open();
  CAF_CHECK(read() != first);
}

CAF_TEST(only the whole token is one) {
  write("0123456789abcdef\n");
  auto token = open(false);
  CAF_CHECK(token.is_in("Bearer 0123456789abcdef"));
  for (auto* wrong :
       {"", "Bearer", "Bearer ", "0123456789abcdef", "bearer 0123456789abcdef",
        "Basic 0123456789abcdef", "Bearer 0123456789abcde",
        "Bearer 0123456789abcdef0", "Bearer 0123456789abcdeg",
        "Bearer 1123456789abcdef", "Bearer  0123456789abcdef", "Bearer f",
        "Bearer ffffffffffffffff"})
    CAF_CHECK(!token.is_in(wrong));
}

CAF_TEST(a file that holds no token is refused with what to do) {
  for (auto* text : {"", "\n", "short", "two words are no token",
                     "0123456789abcdef\nand more"}) {
    write(text);
    CAF_CHECK(contains(problem(), "holds no token"));
  }
  write(std::string(257, 'x'));
  CAF_CHECK(contains(problem(), "holds no token"));
  write(std::string(256, 'x'));
  CAF_CHECK_EQUAL(problem(), "");
}

CAF_TEST(a token that others can read is noticed) {
  auto token = open();
  CAF_CHECK(!token.is_readable_by_others());
  CAF_REQUIRE_EQUAL(::chmod(path.c_str(), 0640), 0);
  CAF_CHECK(!token.is_readable_by_others());
  CAF_REQUIRE_EQUAL(::chmod(path.c_str(), 0644), 0);
  CAF_CHECK(token.is_readable_by_others());
}

CAF_TEST(a configured file has to be there) {
  CAF_CHECK(contains(problem(false), "cannot read " + path));
  CAF_CHECK(!std::filesystem::exists(path));
}

CAF_TEST(a directory that is not there is named) {
  path = directory.path() + "/none/admin.token";
  CAF_CHECK(contains(problem(), "cannot make " + path));
}

CAF_TEST_FIXTURE_SCOPE_END()
