// SPDX-License-Identifier: MIT
#define CAF_SUITE console.palette

#include "console/completion.hpp"
#include "console/help.hpp"
#include "console/palette.hpp"
#include "console/request.hpp"

#include "caf/test/unit_test.hpp"

#include <set>

using namespace fantail::console;

namespace {

std::string target(std::string_view line) {
  auto parsed = parse_command(split_words(line));
  auto* x = std::get_if<invocation>(&parsed);
  return x ? target_of(*x) : "refused: " + std::get<std::string>(parsed);
}

std::string refusal(std::string_view line) {
  auto parsed = parse_command(split_words(line));
  auto* why = std::get_if<std::string>(&parsed);
  return why ? *why : "understood";
}

std::vector<std::string> completed(std::string_view line) {
  auto names = [](word_kind kind) -> std::vector<std::string> {
    if (kind == word_kind::actor)
      return {"routing", "routing/shard-0", "routing/shard-1"};
    if (kind == word_kind::instance)
      return {"notif-001"};
    return {"general", "two words"};
  };
  return complete(line, names).candidates;
}

using strings = std::vector<std::string>;

} // namespace

CAF_TEST(every_command_is_found_and_explained) {
  std::set<std::string_view> names;
  for (auto& x : palette()) {
    CAF_CHECK(names.insert(x.name).second);
    CAF_CHECK(find_command(x.name) == &x);
    CAF_CHECK(!x.about.empty());
    CAF_CHECK(!help_on(x.name, {}).empty());
  }
  CAF_CHECK(!find_command("nothing"));
  CAF_CHECK_EQUAL(help_on("users", {}).empty(), false);
  CAF_CHECK(help_on("nothing", {}).empty());
}

CAF_TEST(words_are_split_as_a_shell_does) {
  CAF_CHECK(split_words("  a  'b c' d\"e f\"g \\ h ''")
            == (strings{"a", "b c", "de fg", " h", ""}));
  CAF_CHECK(split_words("") == strings{});
  CAF_CHECK(split_words("'open end") == strings{"open end"});
  for (std::string x : {"plain", "two words", "it's", "a\"b\\c", ""})
    CAF_CHECK(split_words(quote_word(x)) == strings{x});
}

CAF_TEST(commands_become_requests) {
  CAF_CHECK_EQUAL(target("status"), "/api/v1/node");
  CAF_CHECK_EQUAL(target("tree"), "/api/v1/tree");
  CAF_CHECK_EQUAL(target("actors"), "/api/v1/actors?limit=1000");
  CAF_CHECK_EQUAL(target("actors --top=queue --limit 5"),
                  "/api/v1/actors?top=queue&limit=5");
  CAF_CHECK_EQUAL(target("actors --state stuck --under=routing"),
                  "/api/v1/actors?state=stuck&under=routing&limit=1000");
  CAF_CHECK_EQUAL(target("actor routing/shard-3"),
                  "/api/v1/actors/routing%2Fshard-3");
  CAF_CHECK_EQUAL(target("channels"), "/api/v1/channels?limit=20");
  CAF_CHECK_EQUAL(target("users show 'a b'"), "/api/v1/users/a%20b");
  CAF_CHECK_EQUAL(target("route explain general"),
                  "/api/v1/channels/general/route");
  CAF_CHECK_EQUAL(target("kill routing/shard-3"),
                  "/api/v1/actors/routing%2Fshard-3/kill?mode=exception");
  CAF_CHECK_EQUAL(target("kill x --mode=hang --for=500ms --dry-run --yes"),
                  "/api/v1/actors/x/kill?mode=hang&for_ms=500&dry_run=true");
  CAF_CHECK_EQUAL(target("suspend x --yes"), "/api/v1/actors/x/suspend");
  CAF_CHECK_EQUAL(target("events --since=0 --kind=a,b --for 1m"),
                  "/api/v1/events?since=0&kind=a%2Cb&for_seconds=60");
  CAF_CHECK_EQUAL(target("trace channel general --limit=3"),
                  "/api/v1/trace?channel=general&limit=3");
  CAF_CHECK_EQUAL(target("trace event 7 --for=30s"),
                  "/api/v1/trace?event=7&for_seconds=30");
}

CAF_TEST(a_refusal_names_what_is_wrong_and_what_to_do) {
  CAF_CHECK_EQUAL(refusal("stats"),
                  "there is no command \"stats\"; did you mean \"status\"?");
  CAF_CHECK_EQUAL(refusal("xyzzy"),
                  "there is no command \"xyzzy\"; \"help\" lists them");
  CAF_CHECK_EQUAL(refusal("actor"), "ID is missing; usage: actor ID");
  CAF_CHECK_EQUAL(refusal("users"), "usage: users show ID");
  CAF_CHECK_EQUAL(refusal("tree now"),
                  "\"now\" is one word too many; usage: tree");
  CAF_CHECK_EQUAL(refusal("tree --top=queue"),
                  "\"tree\" has no option --top; usage: tree");
  CAF_CHECK_EQUAL(refusal("channels --top=queue"),
                  "--top is one of cost, members, fanout, not \"queue\"");
  CAF_CHECK_EQUAL(refusal("actors --limit=0"),
                  "--limit is a whole number from 1 to 1000, not \"0\"");
  CAF_CHECK_EQUAL(refusal("actors --limit"),
                  "--limit needs a value: --limit=N");
  CAF_CHECK_EQUAL(refusal("kill x --yes=1"), "--yes takes no value");
  CAF_CHECK_EQUAL(refusal("kill x --for=1s"), "--for belongs to --mode=hang");
  CAF_CHECK_EQUAL(refusal("kill x --mode=hang --for=2m"),
                  "--for is a time from 1ms to 1m, such as 500ms, not \"2m\"");
  CAF_CHECK_EQUAL(refusal("trace channel general --for=10m"),
                  "--for is a time from 1s to 5m, such as 30s, not \"10m\"");
  CAF_CHECK_EQUAL(refusal("trace room x"),
                  "WHAT is one of channel, user, event, not \"room\"");
  CAF_CHECK_EQUAL(refusal("actor ''"), "ID is empty");
  CAF_CHECK_EQUAL(refusal("\033[2J"),
                  "there is no command \"\\x1b[2J\"; \"help\" lists them");
}

CAF_TEST(commands_complete) {
  CAF_CHECK(completed("sta") == strings{"status"});
  CAF_CHECK(completed("us") == strings{"users"});
  CAF_CHECK(completed("users ") == strings{"show"});
  CAF_CHECK(completed("tr") == (strings{"trace", "tree"}));
  CAF_CHECK(completed("watch 2 act") == (strings{"actor", "actors"}));
  CAF_CHECK(completed("watch he") == strings{});
  CAF_CHECK(completed("help ki") == strings{"kill"});
  CAF_CHECK(completed("nonsense x") == strings{});
}

CAF_TEST(options_and_their_values_complete) {
  CAF_CHECK(completed("kill x --d") == strings{"--dry-run"});
  CAF_CHECK(completed("channels --t") == strings{"--top="});
  CAF_CHECK(completed("channels --top=m") == strings{"--top=members"});
  CAF_CHECK(completed("trace ") == (strings{"channel", "event", "user"}));
}

CAF_TEST(names_complete) {
  CAF_CHECK(completed("actor routing/")
            == (strings{"routing/shard-0", "routing/shard-1"}));
  CAF_CHECK(completed("kill --mode=exit routing/shard-1")
            == strings{"routing/shard-1"});
  CAF_CHECK(completed("watch actor routing/shard-0")
            == strings{"routing/shard-0"});
  CAF_CHECK(completed("instance ") == strings{"notif-001"});
  CAF_CHECK(completed("route explain \"two") == strings{"\"two words\""});
  CAF_CHECK(completed("trace channel g") == strings{"general"});
  CAF_CHECK(completed("trace user g") == strings{});
  CAF_CHECK_EQUAL(complete("actor routing/s", nullptr).begin, 6u);
}

CAF_TEST(what_all_candidates_share) {
  CAF_CHECK_EQUAL(common_beginning({"actor", "actors"}), "actor");
  CAF_CHECK_EQUAL(common_beginning({"trace", "users"}), "");
  CAF_CHECK_EQUAL(common_beginning({}), "");
}
