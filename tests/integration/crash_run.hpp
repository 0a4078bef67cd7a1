// SPDX-License-Identifier: MIT
#pragma once

#include "tests/integration/crash_model.hpp"

#include "caf/test/unit_test.hpp"

#include <deque>

namespace fantail::test {

/// A node, four instances and a random workload, with somebody who kills.
class crash_run {
public:
  crash_run(node_process& node, const std::string& url, uint64_t seed)
      : node_(node), talk(std::in_place, url), model(*talk, seed) {
    for (size_t i = 0; i < crash_model::instances; ++i)
      receivers.emplace_back(*talk, crash_model::instance_name(i),
                             crash_model::is_frame(i)
                                 ? delivery_format::frame
                                 : delivery_format::single);
    for (auto& x : receivers)
      CAF_REQUIRE(x.is_registered());
  }

  /// Handlers that are still waited for refer to the model.
  ~crash_run() {
    receivers.clear();
    talk.reset();
  }

  void work(duration time) {
    for (auto until = std::chrono::steady_clock::now() + time;
         std::chrono::steady_clock::now() < until;
         std::this_thread::sleep_for(500us))
      model.step();
  }

  /// Often shorter than the second between two checkpoints, but not always.
  void work_for_a_moment() {
    work(std::chrono::milliseconds{20 + model.pick(6) * model.pick(6) * 50});
  }

  bool all_delivered(bool with_single) {
    if (!eventually([this] { return model.is_quiet(); }))
      return false;
    auto events = model.events();
    return eventually([&] {
      for (size_t i = 0; i < receivers.size(); ++i)
        if ((with_single || crash_model::is_frame(i)) && missing(events, i) > 0)
          return false;
      return true;
    });
  }

  size_t missing(const std::map<std::string, crash_model::sent_event>& events,
                 size_t instance) {
    auto ids = receivers[instance].ids();
    std::set<std::string> received{ids.begin(), ids.end()};
    return static_cast<size_t>(
        std::count_if(events.begin(), events.end(), [&](auto& x) {
          return x.second.wanted_by.contains(instance)
                 && !received.contains(x.first);
        }));
  }

  /// Order, repeats and excess; what is missing is checked before. Order is
  /// that of the events an instance had a claim to: after a restart a table
  /// may hold too much, and what was published before a join comes late.
  void check_deliveries() {
    auto events = model.events();
    for (size_t i = 0; i < receivers.size(); ++i) {
      std::set<std::string> seen;
      std::map<std::string, position> last;
      size_t repeats = 0, disorder = 0, excess = 0;
      for (auto& x : receivers[i].all()) {
        auto known = events.find(x.id);
        CAF_REQUIRE(known != events.end());
        auto& event = known->second;
        excess += !model.may_receive(i, event.channel);
        if (!seen.insert(x.id).second) {
          ++repeats;
          continue;
        }
        if (!event.wanted_by.contains(i))
          continue;
        disorder += *event.stored_at <= last[event.channel];
        last[event.channel] = *event.stored_at;
      }
      CAF_MESSAGE(receivers[i].name() << ": " << seen.size() << " events, "
                                      << repeats << " repeats");
      CAF_CHECK_EQUAL(disorder, 0u);
      CAF_CHECK_EQUAL(excess, 0u);
      CAF_CHECK_EQUAL(receivers[i].losses(), 0u);
      if (crash_model::is_frame(i))
        CAF_CHECK_EQUAL(repeats, 0u);
    }
  }

  void check_table() {
    auto stats = node_.stats();
    CAF_CHECK_EQUAL(stats.int_or("TotalUsers", -1),
                    static_cast<int64_t>(model.users_online()));
    CAF_CHECK_EQUAL(stats.int_or("Sessions", -1),
                    static_cast<int64_t>(model.sessions()));
    CAF_CHECK(model.has_digest(stats.string_or("Digest", "")));
  }

private:
  node_process& node_;

public:
  std::optional<clients> talk;
  crash_model model;
  std::deque<receiver> receivers;
};

} // namespace fantail::test
