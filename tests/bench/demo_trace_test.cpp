// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.demo_trace

#include "bench/demo/trace.hpp"

#include "caf/test/unit_test.hpp"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>

using namespace fantail::demo;

namespace {

/// A gzip file with the given text, for one test.
struct trace_file {
  explicit trace_file(const std::string& text) {
    path = std::filesystem::temp_directory_path() / "fantail-trace-XXXXXX";
    ::close(::mkstemp(path.data()));
    auto out = gzopen(path.c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
  }
  ~trace_file() { ::unlink(path.c_str()); }

  std::string path;
};

constexpr auto small = "t_ms,kind,channel,user,bytes\n"
                       "31,msg,ch_00000162,usr_00000000,39\n"
                       "43,join,ch_00000023,usr_00000001,0\n"
                       "50,leave,ch_00000023,usr_00000001,0\n";

} // namespace

CAF_TEST(a trace is read row by row) {
  trace_file file{small};
  std::string why;
  auto trace = trace_reader::open(file.path, why);
  CAF_REQUIRE(trace != nullptr);
  using kind = trace_row::kind;
  CAF_CHECK(trace->next() == (trace_row{31, kind::message, 162, 0, 39}));
  CAF_CHECK(trace->next() == (trace_row{43, kind::join, 23, 1, 0}));
  CAF_CHECK(trace->next() == (trace_row{50, kind::leave, 23, 1, 0}));
  CAF_CHECK(!trace->next());
  CAF_CHECK_EQUAL(trace->problem(), "");
  trace->rewind();
  auto again = trace->next();
  CAF_CHECK(again && again->at_ms == 31);
}

CAF_TEST(a file that is no trace is refused by name) {
  std::string why;
  CAF_CHECK(!trace_reader::open("/nonexistent/x.gz", why));
  CAF_CHECK_EQUAL(why, "/nonexistent/x.gz cannot be opened");
  trace_file file{"something else\n"};
  CAF_CHECK(!trace_reader::open(file.path, why));
  CAF_CHECK(why.find("is no trace") != std::string::npos);
}

CAF_TEST(a malformed row ends the reading with its line) {
  trace_file file{std::string{small} + "60,shout,ch_1,usr_1,3\n"};
  std::string why;
  auto trace = trace_reader::open(file.path, why);
  while (trace->next())
    continue;
  CAF_CHECK_EQUAL(trace->problem(), "line 5 is no row of a trace");
}

CAF_TEST(rows are parsed strictly) {
  for (auto bad : {"", "1", "1,msg,ch_1,usr_1", "x,msg,ch_1,usr_1,1",
                   "1,msg,1,usr_1,1", "1,msg,ch_1,usr_,1", "1,msg,ch_1,usr_1,-",
                   "1,msg,ch_1,usr_1,1,2", "1,msg,ch_99999999999,usr_1,1"})
    CAF_CHECK(!parse_trace_row(bad));
  CAF_CHECK(parse_trace_row("1,msg,ch_1,usr_1,1").has_value());
}

CAF_TEST(a playlist repeats rooms and the whole trace) {
  trace_file file{small};
  std::string why;
  auto trace = trace_reader::open(file.path, why);
  playlist tested{*trace, {.scale = 2, .forever = true}};
  std::vector<int64_t> times;
  std::vector<uint32_t> users;
  for (int i = 0; i < 8; ++i) {
    auto row = tested.next();
    CAF_REQUIRE(row.has_value());
    times.push_back(row->at_ms);
    users.push_back(row->user);
  }
  CAF_CHECK_EQUAL(times,
                  (std::vector<int64_t>{31, 31, 43, 43, 50, 50, 81, 81}));
  CAF_CHECK_EQUAL(users, (std::vector<uint32_t>{0, 100'000, 1, 100'001, 1,
                                                100'001, 0, 100'000}));
}

CAF_TEST(a playlist that does not repeat ends) {
  trace_file file{small};
  std::string why;
  auto trace = trace_reader::open(file.path, why);
  playlist tested{*trace, {}};
  int rows = 0;
  while (tested.next())
    ++rows;
  CAF_CHECK_EQUAL(rows, 3);
}
