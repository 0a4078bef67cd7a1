// SPDX-License-Identifier: MIT
#include "bench/floor.hpp"

#include "bench/floor_frames.hpp"
#include "bench/latency_json.hpp"
#include "core/delivery/pull_window.hpp"
#include "core/subject.hpp"
#include "runtime/nats/jetstream.hpp"

#include <nats/nats.h>
#include <poll.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

/// The socket takes what it can; beyond this the floor stops reading, as a
/// bare program would whose writes block.
constexpr int unwritten_bytes_max = 4 * 1024 * 1024;

/// Unwritten bytes at which frames are handed to the socket although more can
/// be read: enough for few system calls, little enough to stay in the cache.
constexpr size_t unflushed_bytes_max = 512 * 1024;

constexpr int io_buffer_bytes = 64 * 1024;

volatile std::sig_atomic_t is_stopped = 0;
volatile std::sig_atomic_t wants_new_window = 0;

void check(natsStatus status, const char* what) {
  if (status != NATS_OK)
    throw std::runtime_error(std::string{what} + ": "
                             + natsStatus_GetText(status));
}

/// A connection of nats.c without threads of its own.
class bare_connection {
public:
  explicit bare_connection(const std::string& url) {
    natsOptions* options = nullptr;
    check(natsOptions_Create(&options), "options");
    natsOptions_SetURL(options, url.c_str());
    natsOptions_SetName(options, "fantail bench floor");
    natsOptions_SetAllowReconnect(options, false);
    natsOptions_SetIOBufSize(options, io_buffer_bytes);
    natsOptions_SetEventLoop(options, this, attach, read_event, write_event,
                             detach);
    auto status = natsConnection_Connect(&nc_, options);
    natsOptions_Destroy(options);
    check(status, "connect");
  }

  ~bare_connection() { natsConnection_Destroy(nc_); }
  bare_connection(const bare_connection&) = delete;
  bare_connection& operator=(const bare_connection&) = delete;

  natsConnection* get() const noexcept { return nc_; }
  int socket() const noexcept { return fd_; }
  int buffered() const { return natsConnection_Buffered(nc_); }
  void read() { natsConnection_ProcessReadEvent(nc_); }

  /// nats.c takes a write of nothing for a closed socket.
  void write() {
    if (buffered() > 0)
      natsConnection_ProcessWriteEvent(nc_);
  }

private:
  static natsStatus attach(void** user_data, void* context, natsConnection*,
                           natsSock fd) {
    static_cast<bare_connection*>(context)->fd_ = fd;
    *user_data = context;
    return NATS_OK;
  }
  static natsStatus read_event(void*, bool) { return NATS_OK; }
  static natsStatus write_event(void*, bool) { return NATS_OK; }
  static natsStatus detach(void*) {
    is_stopped = 1;
    return NATS_OK;
  }

  natsConnection* nc_ = nullptr;
  int fd_ = -1;
};

struct message_deleter {
  void operator()(natsMsg* x) const { natsMsg_Destroy(x); }
};
using message_ptr = std::unique_ptr<natsMsg, message_deleter>;

channel_map map_of(const floor_options& options) {
  if (options.map_path.empty())
    return channel_map{options.placement};
  auto result = channel_map::load(options.map_path);
  if (!result)
    throw std::runtime_error("there is no map in " + options.map_path);
  return std::move(*result);
}

class floor_program {
public:
  explicit floor_program(const floor_options& options)
      : options_(options), map_(map_of(options)), in_(options.url),
        out_(options.url) {
    for (uint16_t i = 0; i < options.placement.instances; ++i) {
      char name[40];
      std::snprintf(name, sizeof name, "instance.events.notif-%03u", i);
      auto& target = targets_.emplace_back(options.frame_bytes_max);
      target.subject = name;
      target.told.resize(options.shards);
    }
    request_ = "{\"batch\":" + std::to_string(options.events_per_pull)
               + ",\"expires\":5000000000,\"idle_heartbeat\":1000000000}";
    pull_window::config window;
    window.events_per_request = options.events_per_pull;
    for (uint16_t shard = 0; shard < options.shards; ++shard)
      pulls_.push_back(
          {"$JS.API.CONSUMER.MSG.NEXT." + subjects::shard_stream(shard) + "."
               + options.consumer + "_" + std::to_string(shard),
           "_INBOX." + options.consumer + "." + std::to_string(shard),
           pull_window{window}});
    auto inbox = "_INBOX." + options.consumer + ".*";
    check(natsConnection_SubscribeSync(&inbox_, in_.get(), inbox.c_str()),
          "subscribe");
    natsSubscription_SetPendingLimits(inbox_, -1, -1);
  }

  ~floor_program() { natsSubscription_Destroy(inbox_); }

  void run() {
    request_more(steady::now());
    in_.write();
    std::puts(R"({"ready":true})");
    std::fflush(stdout);
    while (is_stopped == 0)
      turn();
  }

  /// Prints the window that ends, and begins the next.
  void print_counts() {
    json::object line{
        {"deliveries", deliveries_},
        {"events", events_},
        {"first_read_ns", first_read_ns_},
        {"last_read_ns", last_read_ns_},
        {"messages", messages_},
        {"total", to_json(summarize(latency_))},
    };
    std::puts(json::serialize(line).c_str());
    std::fflush(stdout);
    latency_ = {};
  }

private:
  struct target {
    explicit target(size_t frame_bytes_max) : frame(frame_bytes_max) {}

    std::string subject;
    floor_frame frame;
    bool is_open = false;
    /// Per shard: the end of the last section.
    std::vector<uint64_t> told;
  };

  struct shard_pull {
    std::string subject;
    std::string inbox;
    pull_window window;
  };

  /// Deliveries of one read that the socket has not taken yet.
  struct unwritten {
    int64_t read_at_ns;
    uint64_t deliveries;
  };

  /// One round: write what waits, read once, and hand over what is complete;
  /// everything as soon as there is nothing left to read.
  void turn() {
    auto is_blocked = out_.buffered() > unwritten_bytes_max;
    auto can_read = wait(is_blocked ? 0 : POLLIN, 100);
    auto now = steady::now();
    if (std::exchange(wants_new_window, 0) != 0)
      print_counts();
    if (can_read) {
      in_.read();
      take_messages(now);
    }
    request_more(now);
    in_.write();
    if (unflushed_bytes_ > unflushed_bytes_max || !can_read || !wait(POLLIN, 0))
      hand_over();
  }

  /// Waits for the sockets; writes if there is something to write. True if
  /// `in_` can be read.
  bool wait(int in_events, int timeout_ms) {
    auto out_events = out_.buffered() > 0 ? POLLOUT : 0;
    pollfd sockets[2]
        = {{in_.socket(), static_cast<short>(in_events), 0},
           {out_.socket(), static_cast<short>(POLLIN | out_events), 0}};
    if (::poll(sockets, 2, timeout_ms) < 0)
      return false;
    if (sockets[1].revents & POLLIN)
      out_.read();
    if (sockets[1].revents & POLLOUT)
      write_out();
    return (sockets[0].revents & POLLIN) != 0;
  }

  void take_messages(steady::time_point now) {
    auto deliveries_before = deliveries_;
    natsMsg* raw = nullptr;
    while (natsSubscription_NextMsg(&raw, inbox_, 0) == NATS_OK) {
      message_ptr msg{raw};
      take(*raw, now);
    }
    if (deliveries_ > deliveries_before)
      unwritten_.push_back({to_ns(now), deliveries_ - deliveries_before});
  }

  void take(natsMsg& msg, steady::time_point now) {
    std::string_view subject = natsMsg_GetSubject(&msg);
    auto* reply = natsMsg_GetReply(&msg);
    auto info = reply ? nats::parse_delivery(reply) : std::nullopt;
    if (!info) {
      take_status(msg, shard_of_inbox(subject), now);
      return;
    }
    // `fantail.in.<shard>.<channel>`, as the stream keeps it.
    auto channel_at = subject.rfind('.') + 1;
    auto channel = subject.substr(channel_at);
    auto shard = shard_of_inbox(subject.substr(0, channel_at - 1));
    auto number = channel_number(channel);
    if (shard >= pulls_.size() || !number || *number >= map_.channels())
      return;
    pulls_[shard].window.received(1, 0, now);
    if (events_++ == 0)
      first_read_ns_ = to_ns(now);
    last_read_ns_ = to_ns(now);
    std::string_view body{natsMsg_GetData(&msg),
                          static_cast<size_t>(natsMsg_GetDataLength(&msg))};
    if (options_.output == floor_output::single)
      copy(map_.instances_of(*number), body);
    else if (options_.output == floor_output::frame)
      append(map_.instances_of(*number), shard, info->stream_sequence, channel,
             body);
  }

  static size_t shard_of_inbox(std::string_view subject) {
    size_t result = 0;
    for (char c : last_token(subject))
      result = result * 10 + static_cast<size_t>(c - '0');
    return result;
  }

  void take_status(natsMsg& msg, size_t shard, steady::time_point now) {
    if (shard >= pulls_.size())
      return;
    const char* status = nullptr;
    auto is_heartbeat = natsMsgHeader_Get(&msg, "Status", &status) == NATS_OK
                        && std::string_view{status} == "100";
    if (is_heartbeat)
      pulls_[shard].window.heartbeat(now);
    else
      pulls_[shard].window.request_ended(now);
  }

  void copy(std::span<const uint16_t> instances, std::string_view body) {
    for (auto i : instances)
      publish(targets_[i], body);
    deliveries_ += instances.size();
    unflushed_bytes_ += instances.size() * body.size();
  }

  void append(std::span<const uint16_t> instances, size_t shard,
              uint64_t position, std::string_view channel,
              std::string_view body) {
    event_.assign(position, channel, body);
    for (auto i : instances) {
      auto& x = targets_[i];
      if (x.frame.is_full_for(event_))
        publish_frame(x);
      if (x.frame.is_empty())
        open_.push_back(i);
      x.frame.add(static_cast<uint16_t>(shard), x.told[shard], position,
                  event_);
      x.told[shard] = position;
    }
    deliveries_ += instances.size();
    unflushed_bytes_ += instances.size() * event_.bytes().size();
  }

  void publish_frame(target& x) {
    publish(x, x.frame.finish());
    x.frame.clear();
  }

  void publish(const target& x, std::string_view body) {
    natsConnection_Publish(out_.get(), x.subject.c_str(), body.data(),
                           static_cast<int>(body.size()));
    ++messages_;
  }

  /// Closes all frames and writes.
  void hand_over() {
    for (auto i : open_)
      if (!targets_[i].frame.is_empty())
        publish_frame(targets_[i]);
    open_.clear();
    unflushed_bytes_ = 0;
    write_out();
  }

  void write_out() {
    out_.write();
    if (unflushed_bytes_ > 0 || out_.buffered() > 0)
      return;
    auto now = to_ns(steady::now());
    for (auto& x : unwritten_)
      latency_.record(now - x.read_at_ns, x.deliveries);
    unwritten_.clear();
  }

  void request_more(steady::time_point now) {
    for (auto& x : pulls_) {
      if (x.window.is_stuck(now))
        x.window.reopened(now);
      while (x.window.next_request(now))
        natsConnection_PublishRequest(in_.get(), x.subject.c_str(),
                                      x.inbox.c_str(), request_.data(),
                                      static_cast<int>(request_.size()));
    }
  }

  floor_options options_;
  std::string request_;
  channel_map map_;
  bare_connection in_;
  bare_connection out_;
  natsSubscription* inbox_ = nullptr;
  std::vector<shard_pull> pulls_;
  std::vector<target> targets_;
  /// Instances with a frame that is not empty.
  std::vector<uint16_t> open_;
  encoded_event event_;
  size_t unflushed_bytes_ = 0;
  std::vector<unwritten> unwritten_;
  uint64_t events_ = 0;
  uint64_t deliveries_ = 0;
  uint64_t messages_ = 0;
  int64_t first_read_ns_ = 0;
  int64_t last_read_ns_ = 0;
  histogram latency_;
};

} // namespace

int run_floor(const floor_options& options) {
  struct sigaction action = {};
  action.sa_handler = [](int) {
    is_stopped = 1;
  };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  action.sa_handler = [](int) {
    wants_new_window = 1;
  };
  ::sigaction(SIGUSR1, &action, nullptr);
  try {
    floor_program program{options};
    program.run();
    program.print_counts();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "floor: %s\n", error.what());
    return 1;
  }
}

int run_floor(const std::vector<std::string>& words) {
  std::string why;
  auto options = floor_options_from(words, why);
  if (options)
    return run_floor(*options);
  std::fprintf(stderr, "floor: %s\n", why.c_str());
  return 2;
}

} // namespace fantail::bench
