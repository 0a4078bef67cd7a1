// SPDX-License-Identifier: MIT
#include "console/palette.hpp"

namespace fantail::console {

namespace {

using kind = command_kind;

std::vector<option_spec> limit_and(std::vector<option_spec> more) {
  more.push_back({"limit", "N", "Most lines to show, 1 to 1000"});
  return more;
}

const option_spec dry_run{"dry-run", "", "Says what it would do, and does not"};
const option_spec yes{"yes", "", "Does not ask before it changes something"};

std::vector<command_spec> commands_that_ask_of_actors() {
  return {
      {"status", kind::page, "How the node is: health, rates, lag, latency"},
      {"diagnose",
       kind::page,
       "Is it slow, and why? Lag, mailbox waits, hot channels, memory",
       {},
       {{"window", "TIME", "How long to look, 1s to 60s [2s]"}},
       "Looks twice, a window apart, and tells each finding with its evidence "
       "and\nwhat to do."},
      {"incidents", kind::page,
       "Which actors died, why, and how long until they were back"},
      {"tree", kind::page, "Supervisors and their children, with restarts"},
      {"actors",
       kind::page,
       "All actors, or the first by some measure",
       {},
       limit_and({{"top",
                   "MEASURE",
                   "Most of this first",
                   {"queue", "rate", "handler_time", "memory", "restarts"}},
                  {"type", "TYPE", "Only this kind, e.g. routing-shard"},
                  {"state",
                   "STATE",
                   "Only those in this state",
                   {"idle", "busy", "stuck", "suspended", "away", "ended"}},
                  {"under", "ID", "Only this supervisor and who is below"}}),
       "Examples:\n  fantail actors --top=queue\n"
       "  fantail actors --state=stuck --json"},
      {"actor",
       kind::page,
       "One actor: what it does, has done, and knows",
       {{"ID", word_kind::actor}},
       {},
       "Example:\n  fantail actor routing/shard-3"},
  };
}

std::vector<command_spec> commands_that_ask_of_traffic() {
  return {
      {"shards", kind::page, "Routing shards and presence shards"},
      {"instances", kind::page, "Instances, and how deliveries to them stand"},
      {"instance",
       kind::page,
       "One instance",
       {{"NAME", word_kind::instance}},
       {},
       "Example:\n  fantail instance notif-001"},
      {"channels",
       kind::page,
       "The hottest or largest channels",
       {},
       limit_and({{"top",
                   "MEASURE",
                   "Most of this first [cost]",
                   {"cost", "members", "fanout"}}}),
       "Cost is events per second times instances: what a channel takes of the "
       "node.\n\nExample:\n  fantail channels --top=cost --limit=10"},
      {"users show",
       kind::page,
       "Where a user is",
       {{"ID"}},
       {},
       "Example:\n  fantail users show usr_00000007"},
      {"route explain",
       kind::page,
       "Which instances get events of a channel, and why",
       {{"CHANNEL", word_kind::channel}},
       {},
       "Example:\n  fantail route explain general"},
      {"deadletters",
       kind::page,
       "Messages and inputs nobody could take",
       {},
       limit_and({})},
  };
}

std::vector<command_spec> commands_that_flow() {
  return {
      {"events",
       kind::stream,
       "What happens, as it happens; Ctrl-C ends it",
       {},
       {{"since", "ID", "Begins behind this event; 0 = all that is remembered"},
        {"kind", "KINDS", "Only these kinds, with commas between them"},
        {"for", "TIME", "Ends after that, e.g. 30s"}},
       "Examples:\n  fantail events --since=0 --for=1s\n"
       "  fantail events --kind=child-failed,child-restarted --json"},
      {"trace",
       kind::stream,
       "Follows real events through the actors",
       {{"WHAT", word_kind::free, {"channel", "user", "event"}},
        {"NAME", word_kind::channel}},
       {{"limit", "N", "Ends after so many events, 1 to 1000 [10]"},
        {"for", "TIME", "Ends after that, 1s to 5m [30s]"}},
       "Examples:\n  fantail trace channel general\n"
       "  fantail trace event 5f2c9a --for=1m"},
  };
}

std::vector<command_spec> commands_that_change() {
  return {
      {"kill",
       kind::change,
       "Makes an actor end; its supervisor starts it again",
       {{"ID", word_kind::actor}},
       {{"mode",
         "MODE",
         "How [exception]",
         {"exception", "exit", "kill", "hang"}},
        {"for", "TIME", "Of mode hang: how long, up to 1m [2s]"},
        dry_run,
        yes},
       "Modes: exception: its next message fails, as by a defect. exit: it is "
       "told to\nend. kill: it ends without being asked. hang: it does nothing "
       "for a while.\n\nExamples:\n"
       "  fantail kill routing/shard-3 --dry-run\n"
       "  fantail kill routing/shard-3 --mode=exit --yes"},
      {"suspend",
       kind::change,
       "Holds an actor's messages until it is resumed",
       {{"ID", word_kind::actor}},
       {dry_run, yes},
       "Example:\n  fantail suspend routing/shard-3 --dry-run"},
      {"resume",
       kind::change,
       "Passes on what was held",
       {{"ID", word_kind::actor}},
       {dry_run, yes},
       "Example:\n  fantail resume routing/shard-3 --yes"},
  };
}

std::vector<command_spec> commands_of_the_prompt() {
  return {
      {"top",
       kind::prompt,
       "Live view of the actors; q leaves",
       {{"MEASURE",
         word_kind::free,
         {"queue", "rate", "handler_time", "memory", "restarts"},
         true}}},
      {"watch",
       kind::prompt,
       "Shows COMMAND again every N seconds [2]; q leaves",
       {{"[N] COMMAND", word_kind::command}}},
      {"help",
       kind::prompt,
       "Explains all commands, or one",
       {{"COMMAND", word_kind::command, {}, true}}},
      {"quit", kind::prompt, "Leaves the console, as Ctrl-D does"},
  };
}

} // namespace

const std::vector<command_spec>& palette() {
  static const auto result = [] {
    std::vector<command_spec> all;
    for (auto& group : {commands_that_ask_of_actors(),
                        commands_that_ask_of_traffic(), commands_that_flow(),
                        commands_that_change(), commands_of_the_prompt()})
      all.insert(all.end(), group.begin(), group.end());
    return all;
  }();
  return result;
}

} // namespace fantail::console
