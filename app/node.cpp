// SPDX-License-Identifier: MIT
#include "app/node.hpp"

#include "app/node_http.hpp"
#include "app/node_parts.hpp"
#include "app/node_questions.hpp"
#include "app/node_tree.hpp"
#include "app/restore.hpp"
#include "app/stop_watchdog.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace fantail {

namespace {

constexpr auto connect_timeout = 10s;
constexpr auto drain_timeout = 2s;

} // namespace

class node::impl {
public:
  explicit impl(const node_config& c) : config(c), parts(config) {}

  ~impl() { stop(); }

  std::optional<start_failure> start() {
    if (auto problem = parts.connect(connect_timeout))
      return problem;
    if (auto problem = parts.prepare_streams())
      return problem;
    if (auto why = apply(config, system_config))
      return start_failure{1, "CAF refused the setting " + *why};
    node_tree::heritage from;
    if (auto problem = inherit(from))
      return problem;
    system.emplace(system_config);
    tree.emplace(*system, parts, std::move(from),
                 node_tree::callbacks{[this] { is_ready = true; },
                                      [this](std::string reason) {
                                        fail(std::move(reason));
                                      }});
    start_links();
    pass_questions(*parts.control, tree->desk());
    tree->start_reading();
    return std::nullopt;
  }

  void stop() {
    if (!system)
      return;
    stop_watchdog watchdog;
    parts.http_down();
    for (auto& reader : parts.readers)
      reader->close();
    for (auto& writer : parts.writers)
      writer->close();
    if (tree) {
      drain();
      tree->stop();
    }
    parts.stop_links();
    system.reset();
    parts.stop_server();
  }

  void fail(std::string reason) {
    parts.reports.error("node", "actor-lost", {{"reason", reason}});
    {
      std::lock_guard guard{mutex};
      has_failed = true;
    }
    changed.notify_all();
  }

  /// Takes the shards over, and loads what their last owner wrote down.
  std::optional<start_failure> inherit(node_tree::heritage& from) {
    for (uint16_t i = 0; i < config.cluster.shards; ++i) {
      auto taken = parts.take_over(shard_id{i});
      if (auto* problem = std::get_if<start_failure>(&taken))
        return *problem;
      from.checkpoints.push_back(std::get<nats::shard_checkpoint>(taken));
    }
    auto outcome = restore(parts);
    if (auto* problem = std::get_if<start_failure>(&outcome))
      return *problem;
    from.restored = std::move(std::get<restored_state>(outcome));
    return std::nullopt;
  }

  void start_links() {
    for (size_t i = 0; i < tree->egresses().size(); ++i) {
      auto to = tree->egresses()[i];
      nats::egress_link::handlers on;
      // After a disconnect nothing is published before it is certain that the
      // shards are still ours.
      on.on_up = [this, to](uint64_t life) {
        parts.control->verify_ownership([this, to, life](bool is_ours) {
          if (is_ours)
            caf::anon_send(to, link_reopened{life});
          else
            fail("another node owns a shard of this one");
        });
      };
      on.on_down = [to] {
        caf::anon_send(to, link_changed{false});
      };
      on.on_marker = [to](uint64_t life, uint64_t number) {
        caf::anon_send(to, marker_returned{life, number});
      };
      on.on_unheard = [to](instance_index index) {
        caf::anon_send(to, instance_unheard{index});
      };
      parts.links[i]->start(std::move(on));
    }
    parts.control->listen(
        [to = tree->instances()](nats::control_link::word what,
                                 std::string_view instance,
                                 const nats::message& x) {
          auto kind = static_cast<instance_spoke::kind>(what);
          caf::anon_send(to, instance_spoke{kind, std::string{instance},
                                            std::string{x.body},
                                            std::string{x.reply}});
        },
        [to = tree->instances()](bool is_up) {
          caf::anon_send(to, link_changed{is_up});
        });
  }

  /// Waits until what was read is confirmed, and has it checkpointed.
  void drain() {
    auto deadline = parts.clock.now() + drain_timeout;
    while (!parts.all_settled() && parts.clock.now() < deadline)
      std::this_thread::sleep_for(5ms);
    tree->hurry();
    std::this_thread::sleep_for(50ms);
  }

  node_config config;
  node_parts parts;
  caf::actor_system_config system_config;
  std::optional<caf::actor_system> system;
  std::optional<node_tree> tree;

  std::atomic<bool> is_ready = false;
  std::mutex mutex;
  std::condition_variable changed;
  bool has_failed = false;
};

node::node(std::unique_ptr<impl> x) : impl_(std::move(x)) {
  // nop
}

node::~node() = default;

std::variant<std::unique_ptr<node>, start_failure>
node::start(const node_config& config) {
  auto parts = std::make_unique<impl>(config);
  if (auto problem = parts->start())
    return *problem;
  auto* self = parts.get();
  if (auto problem = self->parts.http_up({&*self->tree, [self] {
                                            return self->is_ready.load();
                                          }}))
    return *problem;
  return std::unique_ptr<node>{new node{std::move(parts)}};
}

bool node::run_until(const std::atomic<bool>& stop) {
  std::unique_lock guard{impl_->mutex};
  while (!stop && !impl_->has_failed)
    impl_->changed.wait_for(guard, 100ms);
  return !impl_->has_failed;
}

bool node::is_ready() const {
  return impl_->is_ready;
}

std::string node::nats_url() const {
  return impl_->parts.nats_url();
}

std::string node::http_url() const {
  return impl_->parts.http_url();
}

std::string node::server_version() const {
  return impl_->parts.server_version();
}

} // namespace fantail
