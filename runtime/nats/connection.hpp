// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/nats/event_loop.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fantail::nats {

/// How to reach and greet a server.
struct connect_options {
  /// `nats://host:port`, several separated by commas.
  std::string url;
  /// Shown by the server's monitoring.
  std::string name = "fantail";
  /// Path of a `.creds` file, or empty.
  std::string credentials;
  struct {
    bool enabled = false;
    /// Certificate authority, own certificate and key (PEM files); empty =
    /// the system's authorities, no client certificate.
    std::string authority, certificate, key;
  } tls;
  /// A handler threw, and the life of the connection ends for that reason. On
  /// the loop's thread.
  std::function<void(const std::string& reason)> on_handler_failed = {};
};

/// A received message. Views are valid during the handler only.
struct message {
  std::string_view subject;
  std::string_view reply;
  /// Header block as received ("NATS/1.0...\r\n\r\n"), or empty.
  std::string_view headers;
  std::string_view body;

  /// Status code in the first line of the header block ("503"), or empty.
  std::string_view status() const;
};

/// A NATS connection without threads, buffers or reconnects of its own, on an
/// event_loop: `publish` only appends to a buffer, `flush` writes it to the
/// socket at once and never blocks, and a broken connection is *closed*, never
/// silently replaced. The loop then opens a new one, with a new `life`, and
/// subscribes again; nothing published in an old life is ever sent in a new
/// one (docs/adr: NATS connections are driven by an own event loop).
///
/// All member functions may be called from any thread. Handlers run on the
/// loop's thread and must not block; one that throws ends the life. Messages of
/// one subscription come in the server's order; those of different ones may
/// overtake each other.
class connection {
public:
  using message_handler = std::function<void(const message&)>;
  using reply_handler = std::function<void(const message*)>;

  struct handlers {
    /// A new life began; subscriptions are in place.
    std::function<void(uint64_t life)> on_up;
    /// The life ended, with the reason.
    std::function<void(uint64_t life, std::string reason)> on_down;
    /// All messages of one read were handled.
    std::function<void()> on_read_end;
  };

  connection(event_loop& loop, connect_options options, handlers on = {});
  /// Closes without sending what is buffered, and waits for running handlers.
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Begins to connect, and to reconnect with backoff when a life ends.
  void start();

  /// Waits for the first or next life; false after `timeout`.
  bool wait_up(duration timeout);

  bool is_up() const noexcept;
  uint64_t life() const noexcept;

  /// Every message to `subject` goes to `handler`, in this and later lives.
  /// `on_nobody` is called for each that says, in place of an answer, that
  /// nobody listens to what was published with this reply subject; it does not
  /// say which, but comes in its place among the messages.
  void subscribe(std::string subject, message_handler handler,
                 std::function<void()> on_nobody = {});

  /// Ends a subscription; its handler is not called afterwards.
  void unsubscribe(const std::string& subject);

  /// Appends a message to the write buffer; false if the connection is down.
  /// It leaves with the next `flush` or `flush_soon`, or within 100 ms.
  /// REQUIRES: subjects are made of valid tokens; headers are empty or a
  /// whole header block.
  bool publish(std::string_view subject, std::string_view body,
               std::string_view reply = {}, std::string_view headers = {});

  /// Writes what is buffered, as far as the socket takes it; the loop writes
  /// the rest as soon as it can.
  void flush();

  /// Has the loop write what is buffered, in its next turn: one write for all
  /// that is published until then.
  void flush_soon();

  /// Bytes published and not yet taken by the socket.
  size_t buffered() const;

  /// The server's `max_payload`, 0 while the connection is down.
  size_t payload_bytes_max() const;

  /// Sends a request. `handler` gets the answer, or nullptr after `timeout` or
  /// when the connection is down. (That nobody listens is not told earlier.)
  void request(std::string_view subject, std::string_view body,
               duration timeout, reply_handler handler,
               std::string_view headers = {});

  /// The same, waiting for the body of the answer. Never on a loop thread.
  std::optional<std::string> request_wait(std::string_view subject,
                                          std::string_view body,
                                          duration timeout,
                                          std::string_view headers = {});

  /// A fresh inbox subject of this connection; only its owner subscribes it.
  std::string new_inbox();

private:
  class impl;
  std::shared_ptr<impl> impl_;
};

} // namespace fantail::nats
