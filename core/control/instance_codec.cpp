// SPDX-License-Identifier: MIT
#include "core/control/instance_codec.hpp"

#include "core/limits.hpp"

namespace fantail {

namespace {

control_reject reject_word(member_reader& in) {
  auto reason = control_reject_from(in.text("reason"));
  in.check(reason.has_value(), control_reject::malformed,
           "the member \"reason\" is unknown");
  return reason.value_or(control_reject::malformed);
}

json::object
positions_object(const std::vector<std::pair<shard_id, position>>& positions) {
  json::object result;
  for (auto& [shard, at] : positions)
    result[std::to_string(shard.value)] = at.value;
  return result;
}

json::object starts_object(const std::vector<shard_start>& starts) {
  json::object result;
  for (auto& x : starts)
    result[std::to_string(x.shard.value)]
        = json::array{x.epoch.value, x.at.value};
  return result;
}

register_instance take_register(member_reader& in, std::string reply_to) {
  register_instance result;
  result.incarnation = in.token("incarnation");
  result.reply_to = std::move(reply_to);
  auto format = in.text("format");
  if (format == to_string(delivery_format::frame))
    result.format = delivery_format::frame;
  else
    in.check(format == to_string(delivery_format::single),
             control_reject::unknown_format,
             "the member \"format\" is neither \"single\" nor \"frame\"");
  auto start = in.text_or("start", to_string(start_from::head));
  if (start == to_string(start_from::acknowledged))
    result.start = start_from::acknowledged;
  else
    in.check(start == to_string(start_from::head), control_reject::wrong_type,
             "the member \"start\" is neither \"head\" nor \"acknowledged\"");
  if (in.has("positions"))
    result.positions = in.shard_starts("positions");
  return result;
}

instance_registered take_registered(member_reader& in) {
  instance_registered result;
  result.instance = in.token("instance");
  result.incarnation = in.token("incarnation");
  result.shards
      = static_cast<uint16_t>(in.number("shards", limits::shards_max));
  result.presence_shards
      = static_cast<uint16_t>(in.number("presence_shards", UINT16_MAX));
  // An instance divides by both.
  in.check(result.shards > 0 && result.presence_shards > 0,
           control_reject::wrong_type, "a number of shards is 0");
  result.heartbeat_ms
      = static_cast<uint32_t>(in.number("heartbeat_ms", UINT32_MAX));
  result.frame_bytes_max
      = static_cast<uint32_t>(in.number("frame_bytes_max", UINT32_MAX));
  if (in.has("ttl_ms"))
    result.ttl_ms = static_cast<uint32_t>(in.number("ttl_ms", UINT32_MAX));
  result.positions = in.shard_starts("positions");
  return result;
}

} // namespace

std::string encode(const registration& x) {
  json::object out;
  if (auto* life = std::get_if<register_instance>(&x)) {
    out["op"] = "register";
    out["format"] = to_string(life->format);
    out["incarnation"] = life->incarnation;
    if (life->start != start_from::head)
      out["start"] = to_string(life->start);
    if (!life->positions.empty())
      out["positions"] = starts_object(life->positions);
    if (!life->reply_to.empty())
      out["reply_to"] = life->reply_to;
  } else {
    out["op"] = "deregister";
    out["incarnation"] = std::get<deregister_instance>(x).incarnation;
  }
  return json::serialize(std::move(out));
}

decoded<registration> decode_registration(std::string_view body) {
  member_reader in{body};
  // Read first, so that a refusal of anything else can be answered.
  auto reply_to = in.reply_to();
  auto op = in.text("op");
  if (op == "deregister")
    return finish<registration>(
        in, deregister_instance{in.token("incarnation")}, reply_to);
  in.check(op == "register", control_reject::unknown_op,
           "the member \"op\" is neither \"register\" nor \"deregister\"");
  auto life = take_register(in, reply_to);
  return finish<registration>(in, std::move(life), reply_to);
}

std::string encode(const registration_reply& x) {
  json::object out;
  if (auto* refusal = std::get_if<registration_rejected>(&x)) {
    out["status"] = "rejected";
    out["instance"] = refusal->instance;
    out["reason"] = to_string(refusal->reason);
    out["detail"] = refusal->detail;
    return json::serialize(std::move(out));
  }
  auto& granted = std::get<instance_registered>(x);
  out["status"] = "registered";
  out["instance"] = granted.instance;
  out["incarnation"] = granted.incarnation;
  out["shards"] = granted.shards;
  out["presence_shards"] = granted.presence_shards;
  out["heartbeat_ms"] = granted.heartbeat_ms;
  out["frame_bytes_max"] = granted.frame_bytes_max;
  if (granted.ttl_ms > 0)
    out["ttl_ms"] = granted.ttl_ms;
  out["positions"] = starts_object(granted.positions);
  return json::serialize(std::move(out));
}

decoded<registration_reply> decode_registration_reply(std::string_view body) {
  member_reader in{body};
  auto status = in.text("status");
  if (status == "registered")
    return finish<registration_reply>(in, take_registered(in));
  in.check(status == "rejected", control_reject::malformed,
           "the member \"status\" is unknown");
  registration_rejected refusal;
  refusal.reason = reject_word(in);
  refusal.instance = in.text_or("instance", "");
  refusal.detail = in.text_or("detail", "");
  return finish<registration_reply>(in, std::move(refusal));
}

std::string encode(const instance_heartbeat& x) {
  if (x.incarnation.empty())
    return {};
  return json::serialize(json::object{{"incarnation", x.incarnation}});
}

decoded<instance_heartbeat> decode_heartbeat(std::string_view body) {
  if (body.empty())
    return {instance_heartbeat{}, control_reject::none, {}, {}};
  member_reader in{body};
  instance_heartbeat result;
  if (in.has("incarnation"))
    result.incarnation = in.token("incarnation");
  return finish(in, std::move(result));
}

std::string encode(const heartbeat_reply& x) {
  json::object out;
  auto is_alive = x.refusal == control_reject::none;
  out["status"] = is_alive ? "alive" : "rejected";
  if (is_alive)
    out["lapses"] = x.lapses;
  else
    out["reason"] = to_string(x.refusal);
  return json::serialize(std::move(out));
}

decoded<heartbeat_reply> decode_heartbeat_reply(std::string_view body) {
  member_reader in{body};
  heartbeat_reply result;
  auto status = in.text("status");
  if (status == "rejected")
    result.refusal = reject_word(in);
  else if (status == "alive")
    result.lapses = static_cast<uint32_t>(in.number("lapses", UINT32_MAX));
  else
    in.check(false, control_reject::malformed,
             "the member \"status\" is unknown");
  return finish(in, result);
}

std::string encode(const instance_ack& x) {
  return json::serialize(
      json::object{{"incarnation", x.incarnation},
                   {"positions", positions_object(x.positions)}});
}

decoded<instance_ack> decode_ack(std::string_view body) {
  member_reader in{body};
  instance_ack result;
  result.incarnation = in.token("incarnation");
  result.positions = in.positions("positions");
  return finish(in, std::move(result));
}

std::string encode(const range_request& x) {
  return json::serialize(json::object{{"incarnation", x.incarnation},
                                      {"shard", x.shard.value},
                                      {"from", x.from.value},
                                      {"to", x.to.value}});
}

decoded<range_request> decode_range_request(std::string_view body) {
  member_reader in{body};
  range_request request;
  request.incarnation = in.token("incarnation");
  request.shard
      = shard_id{static_cast<uint16_t>(in.number("shard", UINT16_MAX))};
  request.from = position{in.number("from")};
  request.to = position{in.number("to")};
  in.check(request.from <= request.to, control_reject::malformed,
           "the range ends before it begins");
  in.check(request.shard.value < limits::shards_max,
           control_reject::unknown_shard, "there is no such shard");
  auto result = finish(in, std::move(request));
  if (!result && result.reason != control_reject::unknown_shard)
    result.reason = control_reject::malformed;
  return result;
}

std::string encode(const range_rejected& x) {
  json::object out{{"status", "rejected"}, {"reason", to_string(x.reason)}};
  if (x.reason == control_reject::lost)
    out["first"] = x.first.value;
  return json::serialize(std::move(out));
}

decoded<range_rejected> decode_range_rejected(std::string_view body) {
  member_reader in{body};
  in.check(in.text("status") == "rejected", control_reject::malformed,
           "the member \"status\" is not \"rejected\"");
  range_rejected result;
  result.reason = reject_word(in);
  if (result.reason == control_reject::lost)
    result.first = position{in.number("first")};
  return finish(in, result);
}

} // namespace fantail
