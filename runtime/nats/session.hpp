// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/nats/connection.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fantail::nats {

/// One life of a connection: the thin wrapper around nats.c, whose header is
/// included by session.cpp alone. nats.c runs without threads of its own on
/// this connection; whoever owns the session calls `read` and `write` when the
/// socket is ready, and destroys it once `is_closed`.
class session {
public:
  /// Connects, waiting 2 s at most. `wake` is called, from any thread and
  /// with a lock of nats.c held, when the socket's owner has to look at it.
  /// Returns nullptr and the reason in `why` on failure.
  static std::unique_ptr<session> open(const connect_options& options,
                                       std::function<void()> wake,
                                       std::string& why);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  // -- any thread, but not while the session is being destroyed -------------

  int socket() const noexcept;
  /// Bytes are waiting for the socket.
  bool wants_write() const noexcept;
  bool is_closed() const noexcept;
  bool publish(std::string_view subject, std::string_view body,
               std::string_view reply, std::string_view headers);
  /// Writes as much as the socket takes, without waiting.
  void write();
  size_t buffered() const;
  /// The server's `max_payload`.
  size_t payload_bytes_max() const;

  // -- the owner's thread
  // ------------------------------------------------------

  /// Reads what the socket has and sorts it into the subscriptions.
  void read();

  /// Why the session closed.
  std::string last_error() const;

  class subscription;
  struct subscription_deleter {
    void operator()(subscription* x) const;
  };
  using subscription_ptr = std::unique_ptr<subscription, subscription_deleter>;

  /// Returns nullptr if the session is closed. End it before the session.
  subscription_ptr subscribe(const std::string& subject);

  /// Tells the server that the subscription ends.
  static void unsubscribe(subscription& x);

  /// Hands the next message to `handler`; false if there is none. A message
  /// that says that nobody listens goes to `on_nobody`, if that is set: nats.c
  /// keeps it to itself.
  static bool next(subscription& x,
                   const std::function<void(const message&)>& handler,
                   const std::function<void()>& on_nobody);

private:
  session();
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace fantail::nats
