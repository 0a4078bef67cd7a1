// SPDX-License-Identifier: MIT
#include "bench/churn_world.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::string_view session_name = "s1";
constexpr uint32_t channels_per_join_max = 3;

client::presence_source_options patient() {
  client::presence_source_options result;
  // A node that starts again after a kill has to read its logs first.
  result.answer_timeout = std::chrono::seconds{5};
  result.attempts_max = 100;
  return result;
}

} // namespace

churn_world::churn_world(nats::event_loop& loop, nats::connection& via,
                         population_config shape, uint64_t seed)
    : world_(shape), random_(seed), members_(shape.users),
      source_(loop, via, patient()) {
  for (uint32_t user = 0; user < shape.users; ++user)
    world_.channels_of(user, members_[user].channels);
}

void churn_world::appear(uint32_t user) {
  members_[user].instance = world_.instance_of(user);
  change(user, presence_op::online, &members_[user].channels);
}

void churn_world::step() {
  auto user = random_.below(world_.config().users);
  auto& x = members_[user];
  auto what = random_.below(100);
  if (what < 40)
    x.instance ? go(user) : come(user, false);
  else if (what < 55)
    come(user, false);
  else if (what < 75)
    join(user);
  else if (what < 95)
    leave(user);
  else
    replace_tenth(user);
}

/// Online, perhaps from elsewhere.
void churn_world::come(uint32_t user, bool says_channels) {
  auto& x = members_[user];
  x.instance = static_cast<uint16_t>(random_.below(world_.config().instances));
  change(user, presence_op::online, says_channels ? &x.channels : nullptr);
}

void churn_world::go(uint32_t user) {
  members_[user].instance.reset();
  change(user, presence_op::offline, nullptr);
}

void churn_world::join(uint32_t user) {
  auto& x = members_[user].channels;
  auto named = draw(1 + random_.below(channels_per_join_max));
  std::vector<uint32_t> both;
  std::ranges::set_union(x, named, std::back_inserter(both));
  x.swap(both);
  change(user, presence_op::join, &named);
}

void churn_world::leave(uint32_t user) {
  auto& x = members_[user].channels;
  std::vector<uint32_t> named;
  // Half the size of a join, because most joins add what was not there.
  for (auto left = 1 + random_.below(channels_per_join_max); left > 0; --left)
    if (!x.empty())
      named.push_back(x[random_.below(static_cast<uint32_t>(x.size()))]);
  std::ranges::sort(named);
  auto repeats = std::ranges::unique(named);
  named.erase(repeats.begin(), repeats.end());
  std::erase_if(x, [&](uint32_t channel) {
    return std::ranges::binary_search(named, channel);
  });
  change(user, presence_op::leave, &named);
}

void churn_world::replace_tenth(uint32_t user) {
  auto& x = members_[user].channels;
  auto fresh
      = draw(std::max<uint32_t>(static_cast<uint32_t>(x.size() / 10), 1));
  for (auto channel : fresh)
    if (!x.empty())
      x[random_.below(static_cast<uint32_t>(x.size()))] = channel;
  std::ranges::sort(x);
  auto repeats = std::ranges::unique(x);
  x.erase(repeats.begin(), repeats.end());
  come(user, true);
}

std::vector<uint32_t> churn_world::draw(uint32_t count) {
  std::vector<uint32_t> result(count);
  for (auto& channel : result)
    channel = random_.below(world_.config().channels);
  std::ranges::sort(result);
  auto repeats = std::ranges::unique(result);
  result.erase(repeats.begin(), repeats.end());
  return result;
}

void churn_world::change(uint32_t user, presence_op op,
                         const std::vector<uint32_t>* channels) {
  presence_update update;
  update.op = op;
  if (op == presence_op::online || op == presence_op::offline)
    update.session = session_name;
  if (op == presence_op::online)
    update.instance
        = population::instance_name(*members_[user].instance).view();
  if (channels) {
    update.has_channels = true;
    update.channels = population::channel_names(*channels);
  }
  ++changes_;
  auto begin = steady::now();
  source_.change(population::user_name(user), std::move(update),
                 [this, begin](const std::optional<presence_answer>& x) {
                   std::lock_guard guard{mutex_};
                   answers_.latency.record(to_ns(steady::now()) - to_ns(begin));
                   if (!x) {
                     ++answers_.missing;
                   } else if (x->what == presence_answer::status::rejected) {
                     ++answers_.rejected;
                     answers_.last_refusal = x->detail;
                   } else {
                     ++answers_.joined_or_left;
                   }
                 });
}

churn_world::answers churn_world::take_answers() {
  std::lock_guard guard{mutex_};
  auto result = answers_;
  answers_.latency = {};
  return result;
}

std::map<uint32_t, churn_world::row> churn_world::table() const {
  std::map<uint32_t, row> result;
  for (auto& x : members_)
    if (x.instance)
      for (auto channel : x.channels)
        ++result[channel][*x.instance];
  return result;
}

} // namespace fantail::bench
