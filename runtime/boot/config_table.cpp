// SPDX-License-Identifier: MIT
#include "core/subject.hpp"
#include "runtime/boot/config_keys.hpp"

#include <algorithm>

namespace fantail {

namespace {

constexpr int64_t kib = 1024;
constexpr int64_t mib = 1024 * kib;
constexpr int64_t gib = 1024 * mib;
constexpr int64_t tib = 1024 * gib;
constexpr int64_t path_max = 4096;

constexpr int64_t ns(duration x) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(x).count();
}

bool is_plain_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<uint8_t>(c) >= 0x20; });
}

bool is_name(std::string_view text) {
  return is_token(text);
}

bool is_nats_url(std::string_view text) {
  if (text.empty())
    return true;
  while (true) {
    auto comma = text.find(',');
    auto one = text.substr(0, comma);
    if (!one.starts_with("nats://") && !one.starts_with("tls://"))
      return false;
    auto host = one.substr(one.find("//") + 2);
    if (host.empty() || host.find_first_of(" \t\"'\\") != host.npos
        || !is_plain_text(host))
      return false;
    if (comma == text.npos)
      return true;
    text.remove_prefix(comma + 1);
  }
}

constexpr std::string_view name_form = "of A-Z a-z 0-9 _ -";
constexpr std::string_view url_form
    = "of the form nats://host:port, several with commas between them";

#define FANTAIL_SLOT(member)                                                   \
  [](node_config& x) -> config_slot {                                          \
    return &x.member;                                                          \
  }

const config_key node_keys[] = {
    {.name = "node.name",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(node.name),
     .min = 1,
     .max = 64,
     .doc = "Name of this node, unique in its cluster.",
     .is_valid = is_name,
     .valid_form = name_form},
    {.name = "node.state-directory",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(node.state_directory),
     .min = 1,
     .max = path_max,
     .doc = "Where the node keeps its state, the embedded NATS server's data "
            "among it. One node per directory.",
     .is_valid = is_plain_text},
    {.name = "node.memory-limit",
     .kind = key_kind::bytes,
     .slot = FANTAIL_SLOT(node.memory_limit),
     .min = static_cast<int64_t>(limits::memory_limit_min),
     .max = 64 * tib,
     .doc = "Resident bytes at which the node refuses new sessions, with the "
            "reason memory_limit, until it has less again. Routing goes on."},
    {.name = "cluster.name",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(cluster.name),
     .min = 1,
     .max = 64,
     .doc = "Name of the cluster the node belongs to.",
     .is_valid = is_name,
     .valid_form = name_form},
    {.name = "cluster.shards",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(cluster.shards),
     .min = 1,
     .max = limits::shards_max,
     .doc = "Slices of the channel space. Fixed when the cluster is made."},
    {.name = "cluster.presence-shards",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(cluster.presence_shards),
     .min = 1,
     .max = limits::shards_max,
     .doc = "Slices of the users. Fixed when the cluster is made."},
    {.name = "nats.url",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(nats.url),
     .max = path_max,
     .doc = "NATS servers to connect to. Empty: start a private server on this "
            "machine.",
     .is_valid = is_nats_url,
     .valid_form = url_form},
    {.name = "nats.server",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(nats.server),
     .min = 1,
     .max = path_max,
     .doc = "Program of the private server, version 2.9.10 or newer; a name "
            "without a slash is looked up in PATH and /usr/sbin.",
     .is_valid = is_plain_text},
    {.name = "nats.port",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(nats.port),
     .max = 65535,
     .doc = "Port of the private server on 127.0.0.1. 0: a free one, the same "
            "as last time if it is still free."},
    {.name = "nats.credentials",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(nats.credentials),
     .max = path_max,
     .doc = "Path of a .creds file for nats.url; empty for none.",
     .is_valid = is_plain_text},
    {.name = "nats.tls.enabled",
     .kind = key_kind::flag,
     .slot = FANTAIL_SLOT(nats.tls.enabled),
     .doc = "Whether connections to nats.url are encrypted."},
    {.name = "nats.tls.authority",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(nats.tls.authority),
     .max = path_max,
     .doc = "PEM file of the certificate authority; empty: the system's.",
     .is_valid = is_plain_text},
    {.name = "nats.tls.certificate",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(nats.tls.certificate),
     .max = path_max,
     .doc = "PEM file of this node's certificate; empty for none.",
     .is_valid = is_plain_text},
    {.name = "nats.tls.key",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(nats.tls.key),
     .max = path_max,
     .doc = "PEM file of the key of nats.tls.certificate.",
     .is_valid = is_plain_text},
    {.name = "nats.input",
     .kind = key_kind::word,
     .slot = FANTAIL_SLOT(nats.input),
     .words = "auto mapped pool",
     .doc = "How events reach the shards on a server of your own: 'mapped' by "
            "its subject mapping, 'pool' republished from the stream that "
            "keeps messages.send.*; 'auto' looks."},
    {.name = "nats.storage",
     .kind = key_kind::word,
     .slot = FANTAIL_SLOT(nats.storage),
     .words = "file memory",
     .doc = "Where streams live. 'memory' forgets them with the server."},
    {.name = "nats.store-bytes-max",
     .kind = key_kind::bytes,
     .slot = FANTAIL_SLOT(nats.store_bytes_max),
     .min = 64 * mib,
     .max = 64 * tib,
     .doc = "All streams of the private server together; at most 70 % of the "
            "free disk are taken whatever this says."},
    {.name = "nats.stream-bytes-max",
     .kind = key_kind::bytes,
     .slot = FANTAIL_SLOT(nats.stream_bytes_max),
     .min = mib,
     .max = 16 * tib,
     .doc
     = "One shard's stream. A full stream refuses events; it never forgets "
       "silently."},
    {.name = "nats.retention",
     .kind = key_kind::time,
     .slot = FANTAIL_SLOT(nats.retention),
     .min = ns(10s),
     .max = ns(24h * 365),
     .doc = "How long a shard's stream keeps chat events for instances that "
            "catch up."},
    {.name = "nats.duplicate-window",
     .kind = key_kind::time,
     .slot = FANTAIL_SLOT(nats.duplicate_window),
     .min = ns(100ms),
     .max = ns(24h),
     .doc
     = "How long a repeated Nats-Msg-Id is recognised. The server remembers "
       "every id for so long."},
};

const config_key engine_keys[] = {
    {.name = "routing.pull-events",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(routing.pull_events),
     .min = 1,
     .max = limits::pull_events_max,
     .doc = "Chat events asked for in one pull request."},
    {.name = "routing.unsettled-bytes",
     .kind = key_kind::bytes,
     .slot = FANTAIL_SLOT(routing.unsettled_bytes),
     .min = 2 * mib,
     .max = 4 * gib,
     .doc = "Chat events one shard holds unsettled before it stops pulling."},
    {.name = "presence.ttl",
     .kind = key_kind::time,
     .slot = FANTAIL_SLOT(presence.ttl),
     .min = ns(1s),
     .max = ns(24h),
     .doc = "Life of a session that nothing renews."},
    {.name = "presence.heartbeat-interval",
     .kind = key_kind::time,
     .slot = FANTAIL_SLOT(presence.heartbeat_interval),
     .min = ns(100ms),
     .max = ns(1h),
     .doc = "How often an instance is told to send its heartbeat; at most a "
            "third of presence.ttl. A frame instance that misses three "
            "counts as dead."},
    {.name = "presence.snapshot-records",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(presence.snapshot_records),
     .min = 1,
     .max = 1'000'000'000,
     .doc = "Records a presence log may grow by before a new round of "
            "snapshots: what a start replays."},
    {.name = "presence.snapshot-bytes",
     .kind = key_kind::bytes,
     .slot = FANTAIL_SLOT(presence.snapshot_bytes),
     .min = 1,
     .max = 64 * gib,
     .doc = "The same in bytes of a presence log. Where snapshots are larger, "
            "logs may grow by as much as a round of them writes."},
    {.name = "presence.snapshot-interval",
     .kind = key_kind::time,
     .slot = FANTAIL_SLOT(presence.snapshot_interval),
     .min = ns(100ms),
     .max = ns(24h),
     .doc = "Time after which there is a new round of snapshots if any "
            "presence log has grown."},
    {.name = "presence.watch-lease",
     .kind = key_kind::time,
     .slot = FANTAIL_SLOT(presence.watch_lease),
     .min = ns(1s),
     .max = ns(1h),
     .doc = "Life of a watch on presence that nobody renews."},
    {.name = "presence.watch-interval",
     .kind = key_kind::time,
     .slot = FANTAIL_SLOT(presence.watch_interval),
     .min = ns(1ms),
     .max = ns(1min),
     .doc = "How long changes of a watched user or channel are collected after "
            "one was told."},
    {.name = "presence.cache-memberships",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(presence.cache_memberships),
     .min = 0,
     .max = 100'000'000'000,
     .doc = "Memberships of offline users whose rows stay in the tables, at "
            "about 4 bytes each. Who is beyond is read from the members store "
            "when coming online."},
    {.name = "presence.dirty-bytes",
     .kind = key_kind::bytes,
     .slot = FANTAIL_SLOT(presence.dirty_bytes),
     .min = 1024,
     .max = 4 * gib,
     .doc = "Changes of channel lists kept in memory before lists are written "
            "to the members store; at twice that, presence waits for it."},
    {.name = "outbox.bytes",
     .kind = key_kind::bytes,
     .slot = FANTAIL_SLOT(outbox.bytes),
     .min = mib,
     .max = 4 * gib,
     .doc = "Deliveries waiting for one instance before the least important "
            "are dropped."},
    {.name = "outbox.events",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(outbox.events),
     .min = 100,
     .max = 10'000'000,
     .doc = "The same, counted in deliveries."},
    {.name = "outbox.window-bytes",
     .kind = key_kind::bytes,
     .slot = FANTAIL_SLOT(outbox.window_bytes),
     .min = mib,
     .max = 4 * gib,
     .doc = "Bytes sent to a frame instance and not acknowledged before it "
            "counts as lagging."},
    {.name = "outbox.frame-bytes",
     .kind = key_kind::bytes,
     .slot = FANTAIL_SLOT(outbox.frame_bytes),
     .min = kib,
     .max = limits::frame_bytes_max,
     .doc = "Size at which a frame is closed."},
    {.name = "egress.connections",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(egress.connections),
     .min = 1,
     .max = 16,
     .doc = "NATS connections that deliver, each with a thread of its own."},
    {.name = "http.address",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(http.address),
     .min = 2,
     .max = 64,
     .doc = "Address of the admin API, which has no TLS: of this machine only, "
            "such as 127.0.0.1 or ::1.",
     .is_valid = is_plain_text},
    {.name = "http.port",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(http.port),
     .max = 65535,
     .doc = "Port of the admin API. 0: a free one, told at the start."},
    {.name = "admin.token-file",
     .kind = key_kind::text,
     .slot = FANTAIL_SLOT(admin.token_file),
     .max = path_max,
     .doc
     = "File with the token for changes over the admin API. Empty: admin.token "
       "in node.state-directory, made at the first start.",
     .is_valid = is_plain_text},
    {.name = "log.level",
     .kind = key_kind::word,
     .slot = FANTAIL_SLOT(log.level),
     .words = "trace debug info warn error",
     .doc = "The least important events that are logged."},
    {.name = "log.format",
     .kind = key_kind::word,
     .slot = FANTAIL_SLOT(log.format),
     .words = "text json",
     .doc = "Lines for people, or one JSON object per line."},
    {.name = "scheduler.policy",
     .kind = key_kind::word,
     .slot = FANTAIL_SLOT(scheduler.policy),
     .words = "sharing stealing",
     .doc = "How CAF's workers share actors. 'stealing' was seen to leave an "
            "actor waiting for seconds."},
    {.name = "scheduler.max-threads",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(scheduler.max_threads),
     .max = 1024,
     .doc = "CAF's workers. 0: one per core, at least two."},
    {.name = "scheduler.max-throughput",
     .kind = key_kind::count,
     .slot = FANTAIL_SLOT(scheduler.max_throughput),
     .min = 1,
     .max = 100'000,
     .doc = "Messages an actor handles before the next one gets its turn."},
    {.name = "middleman.heartbeat-interval",
     .kind = key_kind::time,
     .slot = FANTAIL_SLOT(middleman.heartbeat_interval),
     .min = ns(10ms),
     .max = ns(1min),
     .doc = "How often nodes tell each other that they live."},
    {.name = "middleman.connection-timeout",
     .kind = key_kind::time,
     .slot = FANTAIL_SLOT(middleman.connection_timeout),
     .min = ns(50ms),
     .max = ns(10min),
     .doc = "Silence after which a link between nodes is given up; at least "
            "twice middleman.heartbeat-interval."},
};

#undef FANTAIL_SLOT

} // namespace

std::span<const config_key> config_keys() {
  static const auto all = [] {
    std::vector<config_key> result{std::begin(node_keys), std::end(node_keys)};
    result.insert(result.end(), std::begin(engine_keys), std::end(engine_keys));
    return result;
  }();
  return all;
}

} // namespace fantail
