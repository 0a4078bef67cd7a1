// SPDX-License-Identifier: MIT

/// Faults that are planted into a copy of the program, to see whether a chaos
/// run finds them. The linker hands calls of three functions to those below
/// (`--wrap`), so the program itself knows nothing of this. The environment's
/// FANTAIL_PLANTED chooses one.

#include "core/delivery/frame_reader.hpp"
#include "core/routing/shard_router.hpp"

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

using namespace fantail;

// What the linker calls them (Itanium C++ ABI): a member function is a function
// whose first argument is `this`.
#define JOINED(a, b) a##b
#define NAME(prefix, name) JOINED(prefix, name)
#define ROUTE_HEAD _ZN7fantail12shard_router5routeERKNS_4pullE
#define ROUTE_TAIL St4spanINS_13delivery_listELm18446744073709551615EE
#define ROUTE NAME(ROUTE_HEAD, ROUTE_TAIL)
#define APPLY _ZN7fantail12shard_router5applyERKNS_14presence_deltaE
#define TAKE _ZN7fantail12frame_reader4takeERKNS_5frame7sectionERNS0_4sinkE
#define WITH(prefix, name) JOINED(prefix, name)
#define REAL(name) WITH(__real_, name)
#define WRAP(name) WITH(__wrap_, name)

extern "C" {
void REAL(ROUTE)(shard_router*, const pull&, std::span<delivery_list>);
delta_outcome REAL(APPLY)(shard_router*, const presence_delta&);
void REAL(TAKE)(frame_reader*, const frame::section&, frame_reader::sink&);
}

namespace {

bool is_planted(std::string_view name) {
  static const char* chosen = std::getenv("FANTAIL_PLANTED");
  return chosen && name == chosen;
}

/// True once in `n` calls; from any thread.
bool once_in(uint64_t n) {
  static std::atomic<uint64_t> calls = 0;
  return ++calls % n == 0;
}

/// Goes through the deliveries; `keep` says whether one stays.
template <class Keep>
void filter(delivery_list& list, Keep keep) {
  delivery_list result;
  uint32_t begin = 0;
  for (auto& item : list.items) {
    for (auto i = begin; i < item.end; ++i)
      if (keep(item.event, list.instances[i]))
        result.instances.push_back(list.instances[i]);
    begin = item.end;
    auto end = static_cast<uint32_t>(result.instances.size());
    if (end > (result.items.empty() ? 0 : result.items.back().end))
      result.items.push_back({item.event, end});
  }
  list = std::move(result);
}

void lose_one_in_10000(std::span<delivery_list> groups) {
  for (auto& list : groups)
    filter(list, [](uint32_t, instance_index) { return !once_in(10'000); });
}

/// Whoever once got an event of a channel gets all of them for ever.
void route_to_left_sessions(const pull& events,
                            std::span<delivery_list> groups) {
  static std::mutex mutex;
  static std::map<std::string, std::set<uint16_t>, std::less<>> ever;
  std::lock_guard guard{mutex};
  // One egress has all of them.
  auto& list = groups.front();
  delivery_list result;
  uint32_t begin = 0;
  for (auto& item : list.items) {
    auto& known = ever[std::string{events.channel_of(item.event)}];
    for (auto i = begin; i < item.end; ++i)
      known.insert(list.instances[i].value);
    begin = item.end;
    for (auto x : known)
      result.instances.push_back(instance_index{x});
    result.items.push_back(
        {item.event, static_cast<uint32_t>(result.instances.size())});
  }
  list = std::move(result);
}

presence_delta without_a_join(const presence_delta& x) {
  auto result = x;
  for (auto& change : result.changes)
    if (change.what == user_change::kind::join_channels && once_in(2))
      change.channels = {};
  return result;
}

frame::section with_two_swapped(const frame::section& x) {
  auto result = x;
  for (size_t i = 1; i < result.events.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (result.events[i].channel == result.events[k].channel) {
        std::swap(result.events[i], result.events[k]);
        return result;
      }
  return result;
}

/// What an owner whose epoch is over might still send is passed on, as if
/// nobody looked at epochs.
void skip_the_fence(frame_reader* reader, const frame::section& in,
                    frame_reader::sink& out) {
  struct former {
    frame::section_header header;
    chat_event event;
    std::string channel, body;
  };
  static std::mutex mutex;
  static std::map<std::pair<frame_reader*, uint16_t>, former> last;
  std::lock_guard guard{mutex};
  if (in.events.empty())
    return;
  auto& before = last[{reader, in.header.shard.value}];
  if (!before.body.empty() && before.header.epoch < in.header.epoch) {
    before.event.channel = before.channel;
    before.event.body = before.body;
    out.on_section(before.header);
    out.on_event(in.header.shard, before.event);
  }
  auto& event = in.events.back();
  before
      = {in.header, event, std::string{event.channel}, std::string{event.body}};
  before.event.headers = {};
}

} // namespace

extern "C" {

void WRAP(ROUTE)(shard_router* self, const pull& events,
                 std::span<delivery_list> groups) {
  REAL(ROUTE)(self, events, groups);
  if (is_planted("loses-one-in-10000"))
    lose_one_in_10000(groups);
  if (is_planted("routes-to-a-left-session"))
    route_to_left_sessions(events, groups);
  // What it counts is its own affair, but for this.
  if (is_planted("counts-twice") && !events.empty() && once_in(100))
    ++const_cast<router_counters&>(self->counters()).events;
}

delta_outcome WRAP(APPLY)(shard_router* self, const presence_delta& x) {
  return is_planted("misses-a-join") ? REAL(APPLY)(self, without_a_join(x))
                                     : REAL(APPLY)(self, x);
}

void WRAP(TAKE)(frame_reader* self, const frame::section& in,
                frame_reader::sink& out) {
  REAL(TAKE)(self, is_planted("swaps-two") ? with_two_swapped(in) : in, out);
  if (is_planted("skips-a-fence"))
    skip_the_fence(self, in, out);
}

} // extern "C"
