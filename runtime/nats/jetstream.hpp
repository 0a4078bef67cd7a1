// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/nats/connection.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// JetStream by its wire protocol: requests to `$JS.API.>` and raw pull
/// requests. The library's own functions are not used: its fetch overflows the
/// heap, its acknowledgements crash on plain subscriptions, and each waits in
/// the calling thread.
namespace fantail::nats {

/// Why the server refused, or `code` 0 when it did not answer at all.
struct api_error {
  int code = 0;
  std::string text;
};

/// Error codes of JetStream that Fantail tells apart.
namespace api_code {
inline constexpr int none = 0;
inline constexpr int consumer_not_found = 10014;
inline constexpr int stream_name_in_use = 10058;
inline constexpr int stream_not_found = 10059;
inline constexpr int wrong_last_sequence = 10071;
inline constexpr int message_not_found = 10037;
inline constexpr int maximum_bytes = 10077;
} // namespace api_code

struct stream_config {
  std::string name;
  std::vector<std::string> subjects;
  bool in_memory = false;
  /// -1 = no bound.
  int64_t bytes_max = -1;
  /// 0 = forever.
  duration age_max{};
  duration duplicate_window{};
  /// -1 = any number.
  int64_t messages_per_subject = -1;
  /// A full stream refuses new messages instead of dropping old ones.
  bool refuse_when_full = true;
  /// Permits `read_message`.
  bool allow_direct = false;
};

struct stream_state {
  /// Names one life of the stream: positions of another life mean nothing.
  std::string created_at;
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t messages = 0;
  uint64_t bytes = 0;
  bool in_memory = false;
};

struct stream_ensured {
  stream_state state;
  bool was_created = false;
};

template <class T>
using api_result = std::variant<T, api_error>;

template <class T>
using api_handler = std::function<void(api_result<T>)>;

/// Creates the stream if it is missing. Handlers run on the loop's thread.
void ensure_stream(connection& via, const stream_config& config,
                   api_handler<stream_ensured> handler);

void read_stream_state(connection& via, const std::string& stream,
                       api_handler<stream_state> handler);

/// A memory-based, replica-less pull consumer without acknowledgements, which
/// delivers everything from `start` on and vanishes with its reader. Fantail
/// reads a shard like a log and never resumes a consumer of another life.
struct consumer_config {
  std::string stream;
  /// Names shard, epoch, incarnation and attempt; never reused.
  std::string name;
  uint64_t start = 1;
  /// Delivers only messages of this subject, or all if it is empty.
  std::string filter = {};
  duration inactive_threshold = std::chrono::seconds{60};
};

void create_consumer(connection& via, const consumer_config& config,
                     api_handler<std::monostate> handler);

void delete_consumer(connection& via, const std::string& stream,
                     const std::string& name);

/// Asks for up to `events` messages within `expires`; they and the status
/// messages come to `inbox`. False if the connection is down.
bool request_pull(connection& via, std::string_view stream,
                  std::string_view consumer, std::string_view inbox,
                  uint32_t events, duration expires, duration heartbeat);

/// The same for what is there now: the server ends the request with a status
/// message once there is no more.
bool request_available(connection& via, std::string_view stream,
                       std::string_view consumer, std::string_view inbox,
                       uint32_t events);

/// The last message of a subject as the stream's leader has it.
struct stored_message {
  uint64_t sequence = 0;
  std::string body;
};
void read_last(connection& via, const std::string& stream,
               const std::string& subject,
               api_handler<std::optional<stored_message>> handler);

/// The body of the message at `sequence`, or nothing if it is not there, of a
/// stream with `allow_direct`: unlike in other answers of the API it comes as
/// it is, whatever its size.
void read_message(connection& via, const std::string& stream, uint64_t sequence,
                  api_handler<std::optional<std::string>> handler);

/// Forgets every message before `first_kept`; nothing if that is 0 or 1. Whole
/// blocks of a file leave at once, so this costs the server next to nothing.
void purge_before(connection& via, const std::string& stream,
                  uint64_t first_kept, api_handler<std::monostate> handler);

/// The newest message of a stream, without its body; no headers if it is gone
/// or has none.
struct stored_headers {
  uint64_t sequence = 0;
  std::string headers;
};
void read_stream_end(connection& via, const std::string& stream,
                     api_handler<stored_headers> handler);

/// What is set about a stream that somebody else may have made.
struct stream_facts {
  std::string name;
  std::vector<std::string> subjects;
  /// "limits", "interest" or "workqueue".
  std::string retention;
};

/// The streams that keep messages of `subject`, or of a part of it.
void find_streams(connection& via, const std::string& subject,
                  api_handler<std::vector<stream_facts>> handler);

/// What a JetStream publish was answered with.
struct publish_ack {
  uint64_t sequence = 0;
  bool duplicate = false;
  /// Set if the message was not stored.
  std::optional<api_error> error;
};

/// Reads the body of a publish acknowledgement, without building a document.
publish_ack parse_publish_ack(std::string_view body);

/// Publishes and waits for the acknowledgement in the background. An error
/// code 0 means that the outcome is unknown.
void publish_with_ack(connection& via, std::string_view subject,
                      std::string_view body, std::string_view headers,
                      duration timeout,
                      std::function<void(publish_ack)> handler);

/// What the reply subject of a delivered message tells about it.
struct delivery_info {
  uint64_t stream_sequence = 0;
  uint64_t consumer_sequence = 0;
  int64_t stored_at_ns = 0;
  uint64_t pending = 0;
};

/// Reads `$JS.ACK.<stream>.<consumer>.<n>.<sseq>.<cseq>.<time>.<pending>`.
std::optional<delivery_info> parse_delivery(std::string_view reply);

/// Waits for an asynchronous call of this header; never on a loop thread.
template <class T, class Call>
api_result<T> wait_for(Call call);

} // namespace fantail::nats

#include <future>

template <class T, class Call>
fantail::nats::api_result<T> fantail::nats::wait_for(Call call) {
  std::promise<api_result<T>> done;
  call([&done](api_result<T> x) { done.set_value(std::move(x)); });
  return done.get_future().get();
}
