// SPDX-License-Identifier: MIT
#include "runtime/nats/ownership.hpp"

#include "core/json.hpp"
#include "core/subject.hpp"

namespace fantail::nats {

using namespace std::chrono_literals;

namespace {

constexpr auto claim_timeout = 2s;

std::string subject_of(shard_id shard) {
  return "fantail.meta.shard." + std::to_string(shard.value);
}

std::string epoch_subject(shard_id shard, fantail::epoch x) {
  return subject_of(shard) + ".epoch." + std::to_string(x.value);
}

} // namespace

stream_config meta_stream(bool in_memory) {
  stream_config result;
  result.name = subjects::meta_stream;
  result.subjects = {"fantail.meta.>"};
  result.in_memory = in_memory;
  result.messages_per_subject = 1;
  result.bytes_max = 16 * 1024 * 1024;
  result.refuse_when_full = false;
  return result;
}

namespace {

/// Reads a fact as JSON; null if there is none or it is unreadable.
void read_fact(connection& via, const std::string& subject,
               api_handler<json::value> handler) {
  read_last(via, std::string{subjects::meta_stream}, subject,
            [handler = std::move(handler)](
                api_result<std::optional<stored_message>> x) {
              if (auto* error = std::get_if<api_error>(&x)) {
                handler(std::move(*error));
                return;
              }
              auto& stored = std::get<0>(x);
              auto body = stored ? json::parse(stored->body) : std::nullopt;
              handler(std::move(body).value_or(json::value{}));
            });
}

uint64_t number_in(const json::value& x, std::string_view key) {
  return static_cast<uint64_t>(x.int_or(key, 0));
}

std::string source_subject(std::string_view source) {
  return "fantail.meta.source." + std::string{source};
}

} // namespace

void read_checkpoint(connection& via, shard_id shard,
                     api_handler<shard_checkpoint> handler) {
  read_fact(via, subject_of(shard) + ".settled",
            [handler = std::move(handler)](api_result<json::value> x) {
              if (auto* error = std::get_if<api_error>(&x)) {
                handler(std::move(*error));
                return;
              }
              auto& fact = std::get<json::value>(x);
              handler(shard_checkpoint{fantail::epoch{number_in(fact, "epoch")},
                                       position{number_in(fact, "settled")},
                                       fact.string_or("stream_created", "")});
            });
}

void read_source_checkpoint(connection& via, std::string_view source,
                            api_handler<source_checkpoint> handler) {
  read_fact(via, source_subject(source),
            [handler = std::move(handler)](api_result<json::value> x) {
              if (auto* error = std::get_if<api_error>(&x)) {
                handler(std::move(*error));
                return;
              }
              auto& fact = std::get<json::value>(x);
              handler(
                  source_checkpoint{position{number_in(fact, "republished")},
                                    fact.string_or("stream_created", "")});
            });
}

void write_source_checkpoint(connection& via, std::string_view source,
                             const source_checkpoint& x) {
  json::object body{{"republished", x.republished.value},
                    {"stream_created", x.created_at}};
  via.publish(source_subject(source), json::serialize(body));
  via.flush();
}

void write_checkpoint(connection& via, shard_id shard,
                      const shard_checkpoint& x) {
  json::object body{{"epoch", x.owner.value},
                    {"settled", x.settled.value},
                    {"stream_created", x.created_at}};
  via.publish(subject_of(shard) + ".settled", json::serialize(body));
  via.flush();
}

void claim_epoch(connection& via, shard_id shard, fantail::epoch known,
                 const std::string& claimant,
                 api_handler<fantail::epoch> handler) {
  fantail::epoch next{known.value + 1};
  auto body = json::serialize(json::object{{"claimant", claimant}});
  publish_with_ack(via, epoch_subject(shard, next), body,
                   "NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: 0\r\n\r\n",
                   claim_timeout,
                   [&via, shard, next, claimant, handler](publish_ack ack) {
                     if (!ack.error) {
                       handler(next);
                       return;
                     }
                     if (ack.error->code == api_code::wrong_last_sequence) {
                       claim_epoch(via, shard, next, claimant, handler);
                       return;
                     }
                     handler(std::move(*ack.error));
                   });
}

void is_still_owner(connection& via, shard_id shard, fantail::epoch owner,
                    api_handler<bool> handler) {
  read_last(via, std::string{subjects::meta_stream},
            epoch_subject(shard, fantail::epoch{owner.value + 1}),
            [handler = std::move(handler)](
                api_result<std::optional<stored_message>> x) {
              if (auto* error = std::get_if<api_error>(&x))
                handler(std::move(*error));
              else
                handler(!std::get<0>(x).has_value());
            });
}

} // namespace fantail::nats
