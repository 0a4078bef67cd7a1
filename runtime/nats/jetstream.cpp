// SPDX-License-Identifier: MIT
#include "runtime/nats/jetstream.hpp"

#include "core/json.hpp"

#include <algorithm>
#include <charconv>

namespace fantail::nats {

using namespace std::chrono_literals;

namespace {

constexpr auto api_timeout = 5s;

int64_t nanoseconds(duration x) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(x).count();
}

/// Calls the API and hands the answer, or the error in it, to `handler`.
void call(connection& via, const std::string& subject, const json::value& body,
          std::function<void(api_result<json::value>)> handler) {
  via.request(subject, json::serialize(body), api_timeout,
              [handler = std::move(handler)](const message* x) {
                if (!x) {
                  handler(api_error{0, "JetStream did not answer"});
                  return;
                }
                std::string why;
                auto answer = json::parse(x->body, &why);
                if (!answer) {
                  handler(api_error{0, "unreadable answer: " + why});
                  return;
                }
                if (auto* error = answer->find("error")) {
                  auto code = static_cast<int>(error->int_or("err_code", 1));
                  handler(api_error{code, error->string_or("description", "")});
                  return;
                }
                handler(std::move(*answer));
              });
}

bool request_next(connection& via, std::string_view stream,
                  std::string_view consumer, std::string_view inbox,
                  std::string_view body) {
  std::string subject{"$JS.API.CONSUMER.MSG.NEXT."};
  subject.append(stream).append(".").append(consumer);
  if (!via.publish(subject, body, inbox))
    return false;
  via.flush();
  return true;
}

/// Answers carry bodies and headers in base64; keeping them plain text spares
/// a decoder elsewhere.
std::string from_base64(std::string_view text) {
  constexpr std::string_view alphabet
      = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    auto digit = alphabet.find(c);
    if (digit == std::string_view::npos)
      break;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      result += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return result;
}

stream_state state_of(const json::value& answer) {
  stream_state result;
  result.created_at = answer.string_or("created", "");
  auto number = [](const json::value& x, std::string_view key) {
    return static_cast<uint64_t>(x.int_or(key, 0));
  };
  if (auto* state = answer.find("state")) {
    result.first = number(*state, "first_seq");
    result.last = number(*state, "last_seq");
    result.messages = number(*state, "messages");
    result.bytes = number(*state, "bytes");
  }
  if (auto* config = answer.find("config"))
    result.in_memory = config->string_or("storage", "file") == "memory";
  return result;
}

json::value to_json(const stream_config& x) {
  json::array subjects(x.subjects.begin(), x.subjects.end());
  json::object result{
      {"name", x.name},
      {"subjects", std::move(subjects)},
      {"retention", "limits"},
      {"storage", x.in_memory ? "memory" : "file"},
      {"discard", x.refuse_when_full ? "new" : "old"},
      {"max_bytes", x.bytes_max},
      {"max_msgs", -1},
      {"max_consumers", -1},
      {"max_msgs_per_subject", x.messages_per_subject},
      {"max_age", nanoseconds(x.age_max)},
      {"num_replicas", 1},
  };
  if (x.allow_direct)
    result["allow_direct"] = true;
  if (x.duplicate_window > duration{})
    result["duplicate_window"] = nanoseconds(x.duplicate_window);
  return result;
}

} // namespace

void ensure_stream(connection& via, const stream_config& config,
                   api_handler<stream_ensured> handler) {
  auto create = [&via, config, handler] {
    call(via, "$JS.API.STREAM.CREATE." + config.name, to_json(config),
         [handler](api_result<json::value> x) {
           if (auto* error = std::get_if<api_error>(&x))
             handler(std::move(*error));
           else
             handler(stream_ensured{state_of(std::get<0>(x)), true});
         });
  };
  read_stream_state(via, config.name,
                    [create, handler](api_result<stream_state> x) {
                      auto* error = std::get_if<api_error>(&x);
                      if (!error)
                        handler(stream_ensured{std::get<0>(x), false});
                      else if (error->code == api_code::stream_not_found)
                        create();
                      else
                        handler(std::move(*error));
                    });
}

void read_stream_state(connection& via, const std::string& stream,
                       api_handler<stream_state> handler) {
  call(via, "$JS.API.STREAM.INFO." + stream, json::object{},
       [handler = std::move(handler)](api_result<json::value> x) {
         if (auto* error = std::get_if<api_error>(&x))
           handler(std::move(*error));
         else
           handler(state_of(std::get<0>(x)));
       });
}

void create_consumer(connection& via, const consumer_config& config,
                     api_handler<std::monostate> handler) {
  json::object settings{
      {"durable_name", config.name},
      {"deliver_policy", "by_start_sequence"},
      {"opt_start_seq", std::max<uint64_t>(config.start, 1)},
      {"ack_policy", "none"},
      {"replay_policy", "instant"},
      {"max_waiting", 16},
      {"mem_storage", true},
      {"num_replicas", 1},
      {"inactive_threshold", nanoseconds(config.inactive_threshold)},
  };
  if (!config.filter.empty())
    settings["filter_subject"] = config.filter;
  json::object body{{"stream_name", config.stream},
                    {"config", std::move(settings)}};
  call(via,
       "$JS.API.CONSUMER.DURABLE.CREATE." + config.stream + "." + config.name,
       std::move(body),
       [handler = std::move(handler)](api_result<json::value> x) {
         if (auto* error = std::get_if<api_error>(&x))
           handler(std::move(*error));
         else
           handler(std::monostate{});
       });
}

void delete_consumer(connection& via, const std::string& stream,
                     const std::string& name) {
  call(via, "$JS.API.CONSUMER.DELETE." + stream + "." + name, json::object{},
       [](auto&&) {
         // It vanishes by itself when nobody reads it.
       });
}

bool request_pull(connection& via, std::string_view stream,
                  std::string_view consumer, std::string_view inbox,
                  uint32_t events, duration expires, duration heartbeat) {
  return request_next(via, stream, consumer, inbox,
                      "{\"batch\":" + std::to_string(events) + ",\"expires\":"
                          + std::to_string(nanoseconds(expires))
                          + ",\"idle_heartbeat\":"
                          + std::to_string(nanoseconds(heartbeat)) + "}");
}

bool request_available(connection& via, std::string_view stream,
                       std::string_view consumer, std::string_view inbox,
                       uint32_t events) {
  return request_next(via, stream, consumer, inbox,
                      "{\"batch\":" + std::to_string(events)
                          + ",\"no_wait\":true}");
}

void read_last(connection& via, const std::string& stream,
               const std::string& subject,
               api_handler<std::optional<stored_message>> handler) {
  call(via, "$JS.API.STREAM.MSG.GET." + stream,
       json::object{{"last_by_subj", subject}},
       [handler = std::move(handler)](api_result<json::value> x) {
         if (auto* error = std::get_if<api_error>(&x)) {
           if (error->code == api_code::message_not_found)
             handler(std::optional<stored_message>{});
           else
             handler(std::move(*error));
           return;
         }
         stored_message result;
         if (auto* stored = std::get<0>(x).find("message")) {
           result.sequence = static_cast<uint64_t>(stored->int_or("seq", 0));
           result.body = from_base64(stored->string_or("data", ""));
         }
         handler(std::optional{std::move(result)});
       });
}

void read_message(connection& via, const std::string& stream, uint64_t sequence,
                  api_handler<std::optional<std::string>> handler) {
  via.request("$JS.API.DIRECT.GET." + stream,
              json::serialize(json::object{{"seq", sequence}}), api_timeout,
              [handler = std::move(handler)](const message* x) {
                if (!x)
                  handler(api_error{0, "JetStream did not answer"});
                else if (x->status() == "404")
                  handler(std::optional<std::string>{});
                else if (!x->status().empty())
                  handler(api_error{1, std::string{x->headers}});
                else
                  handler(std::optional{std::string{x->body}});
              });
}

void purge_before(connection& via, const std::string& stream,
                  uint64_t first_kept, api_handler<std::monostate> handler) {
  // nats-server 2.9.10 takes "before 1" for "everything": measured.
  if (first_kept <= 1) {
    handler(std::monostate{});
    return;
  }
  call(via, "$JS.API.STREAM.PURGE." + stream, json::object{{"seq", first_kept}},
       [handler = std::move(handler)](api_result<json::value> x) {
         if (auto* error = std::get_if<api_error>(&x))
           handler(std::move(*error));
         else
           handler(std::monostate{});
       });
}

void read_stream_end(connection& via, const std::string& stream,
                     api_handler<stored_headers> handler) {
  auto read = [&via, stream, handler](uint64_t last) {
    call(via, "$JS.API.STREAM.MSG.GET." + stream, json::object{{"seq", last}},
         [handler, last](api_result<json::value> x) {
           auto* error = std::get_if<api_error>(&x);
           if (error && error->code != api_code::message_not_found) {
             handler(std::move(*error));
             return;
           }
           stored_headers result{last, {}};
           auto* stored = error ? nullptr : std::get<0>(x).find("message");
           if (stored)
             result.headers = from_base64(stored->string_or("hdrs", ""));
           handler(std::move(result));
         });
  };
  read_stream_state(via, stream, [read, handler](api_result<stream_state> x) {
    if (auto* error = std::get_if<api_error>(&x))
      handler(std::move(*error));
    else if (auto& state = std::get<0>(x); state.messages == 0)
      handler(stored_headers{state.last, {}});
    else
      read(state.last);
  });
}

void find_streams(connection& via, const std::string& subject,
                  api_handler<std::vector<stream_facts>> handler) {
  call(via, "$JS.API.STREAM.LIST", json::object{{"subject", subject}},
       [handler = std::move(handler)](api_result<json::value> x) {
         if (auto* error = std::get_if<api_error>(&x)) {
           handler(std::move(*error));
           return;
         }
         std::vector<stream_facts> result;
         auto* list = std::get<0>(x).find("streams");
         auto* streams = list ? list->if_array() : nullptr;
         for (size_t i = 0; streams && i < streams->size(); ++i) {
           auto* config = (*streams)[i].find("config");
           if (!config)
             continue;
           stream_facts one{config->string_or("name", ""),
                            {},
                            config->string_or("retention", "limits")};
           auto* subjects = config->find("subjects");
           if (auto* names = subjects ? subjects->if_array() : nullptr)
             for (auto& name : *names)
               if (auto* text = name.if_string())
                 one.subjects.push_back(*text);
           result.push_back(std::move(one));
         }
         handler(std::move(result));
       });
}

publish_ack parse_publish_ack(std::string_view body) {
  publish_ack result;
  constexpr std::string_view key = "\"seq\":";
  auto at = body.find(key);
  if (body.find("\"error\"") == std::string_view::npos
      && at != std::string_view::npos) {
    auto digits = body.substr(at + key.size());
    digits.remove_prefix(
        std::min(digits.find_first_not_of(' '), digits.size()));
    std::from_chars(digits.data(), digits.data() + digits.size(),
                    result.sequence);
    result.duplicate = body.find("\"duplicate\"") != std::string_view::npos;
    return result;
  }
  result.error = api_error{0, "unreadable acknowledgement"};
  if (auto answer = json::parse(body))
    if (auto* error = answer->find("error"))
      result.error = api_error{static_cast<int>(error->int_or("err_code", 1)),
                               error->string_or("description", "")};
  return result;
}

void publish_with_ack(connection& via, std::string_view subject,
                      std::string_view body, std::string_view headers,
                      duration timeout,
                      std::function<void(publish_ack)> handler) {
  via.request(
      subject, body, timeout,
      [handler = std::move(handler)](const message* x) {
        publish_ack result;
        if (x)
          result = parse_publish_ack(x->body);
        else
          result.error = api_error{0, "no acknowledgement"};
        handler(std::move(result));
      },
      headers);
}

std::optional<delivery_info> parse_delivery(std::string_view reply) {
  if (!reply.starts_with("$JS.ACK."))
    return std::nullopt;
  delivery_info result;
  auto take = [&](auto& number) {
    auto dot = reply.rfind('.');
    if (dot == std::string_view::npos)
      return false;
    auto digits = reply.substr(dot + 1);
    reply = reply.substr(0, dot);
    auto* end = digits.data() + digits.size();
    auto [stop, ec] = std::from_chars(digits.data(), end, number);
    return ec == std::errc{} && stop == end;
  };
  if (take(result.pending) && take(result.stored_at_ns)
      && take(result.consumer_sequence) && take(result.stream_sequence))
    return result;
  return std::nullopt;
}

} // namespace fantail::nats
