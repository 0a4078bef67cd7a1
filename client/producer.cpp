// SPDX-License-Identifier: MIT
#include "client/producer.hpp"

#include "core/hash.hpp"
#include "core/limits.hpp"
#include "core/subject.hpp"

namespace fantail::client {

producer::producer(nats::event_loop& loop, nats::connection& via,
                   producer_options options)
    : publisher_(loop, via, options.publishing),
      direct_shards_(options.direct_shards) {
  // nop
}

producer::send_result producer::send(std::string_view channel,
                                     std::string_view id, std::string body,
                                     handler on_settled, event_class cls) {
  if (!is_token(channel) || !is_token(id)
      || body.size() > limits::payload_bytes_max)
    return send_result::illegal;
  auto subject
      = direct_shards_ > 0
            ? subjects::shard_prefix(shard_of(channel, direct_shards_).value)
            : std::string{subjects::chat_input};
  subject += channel;
  std::string headers;
  if (cls != event_class::critical)
    headers.append("Fantail-Class: ").append(to_string(cls)).append("\r\n");
  auto settle = [settled = std::move(on_settled)](const nats::publish_ack& x) {
    if (!settled)
      return;
    outcome result;
    if (x.error)
      result.problem = x.error->text;
    else
      result.pos = position{x.sequence};
    result.was_duplicate = x.duplicate;
    settled(result);
  };
  return publisher_.publish(std::move(subject), id, headers, std::move(body),
                            std::move(settle))
             ? send_result::accepted
             : send_result::full;
}

} // namespace fantail::client
