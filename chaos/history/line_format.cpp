// SPDX-License-Identifier: MIT
#include "chaos/history/line_format.hpp"

#include "chaos/history/line_words.hpp"
#include "core/json.hpp"

#include <charconv>
#include <concepts>

namespace fantail::chaos {

namespace {

/// Builds one line by hand: a run writes a hundred thousand per second.
class line {
public:
  explicit line(std::string& to) : to_(to) {}

  void begin(time_point at, std::string_view kind) {
    to_ += "{\"t\":";
    number(to_ns(at));
    to_ += ",\"k\":\"";
    to_ += kind;
    to_ += '"';
  }

  void add(std::string_view key, std::integral auto x) {
    this->key(key);
    if constexpr (std::same_as<decltype(x), bool>)
      to_ += x ? "true" : "false";
    else
      number(x);
  }

  template <class Tag, class Rep>
  void add(std::string_view key, tagged_id<Tag, Rep> x) {
    add(key, x.value);
  }

  void add(std::string_view key, std::string_view text) {
    this->key(key);
    to_ += json::quote(text);
  }

  /// Numbers, or pairs of numbers.
  template <class T>
  void add(std::string_view key, const std::vector<T>& list) {
    this->key(key);
    to_ += '[';
    for (auto& x : list) {
      if (&x != list.data())
        to_ += ',';
      item(x);
    }
    to_ += ']';
  }

  void end() { to_ += "}\n"; }

private:
  void key(std::string_view key) {
    to_ += ",\"";
    to_ += key;
    to_ += "\":";
  }

  void number(std::integral auto x) {
    char digits[24];
    auto result = std::to_chars(digits, digits + sizeof digits, x);
    to_.append(digits, result.ptr);
  }

  void item(std::integral auto x) { number(x); }
  void item(const std::string& x) { to_ += json::quote(x); }
  void item(const std::pair<session_number, instance_number>& x) {
    to_ += '[';
    number(x.first);
    to_ += ',';
    number(x.second);
    to_ += ']';
  }

  std::string& to_;
};

struct line_writer {
  time_point at;
  line out;

  void operator()(const publish_called& x) {
    out.begin(at, "pub");
    out.add("e", x.event);
    out.add("c", x.channel);
  }
  void operator()(const publish_stored& x) {
    out.begin(at, "stored");
    out.add("e", x.event);
    out.add("p", x.pos);
  }
  void operator()(const publish_refused& x) {
    out.begin(at, "refused");
    out.add("e", x.event);
  }
  void operator()(const event_received& x) {
    out.begin(at, "recv");
    out.add("i", x.instance);
    out.add("e", x.event);
    out.add("s", x.shard);
    out.add("ep", x.epoch);
  }
  void operator()(const garbage_received& x) {
    out.begin(at, "garbage");
    out.add("i", x.instance);
    out.add("what", x.what);
  }
  void operator()(const loss_reported& x) {
    out.begin(at, "loss");
    out.add("i", x.instance);
    out.add("s", x.shard);
    out.add("from", x.from);
    out.add("to", x.to);
  }
  void operator()(const presence_called& x) {
    out.begin(at, "call");
    out.add("n", x.call);
    out.add("u", x.user);
    out.add("op", word_of(call_words, x.what));
    out.add("se", x.session);
    out.add("i", x.instance);
    out.add("ch", x.channels);
  }
  void operator()(const presence_answered& x) {
    out.begin(at, "answer");
    out.add("n", x.call);
    out.add("is", word_of(outcome_words, x.outcome));
  }
  void operator()(const user_seen& x) {
    out.begin(at, "seen");
    out.add("u", x.user);
    out.add("asked", to_ns(x.asked_at));
    out.add("se", x.sessions);
  }
  void operator()(const sessions_lapsed& x) {
    out.begin(at, "lapse");
    out.add("i", x.instance);
  }
  void operator()(const link_changed& x) {
    out.begin(at, "link");
    out.add("i", x.instance);
    out.add("up", x.is_up);
  }
  void operator()(const node_changed& x) {
    out.begin(at, "node");
    out.add("up", x.is_up);
  }
  void operator()(const fault_marked& x) {
    out.begin(at, "fault");
    out.add("n", x.fault);
    out.add("is", word_of(phase_words, x.phase));
    out.add("kind", x.kind);
    out.add("target", x.target);
    out.add("i", x.instance);
  }
  void operator()(const escalation_seen& x) {
    out.begin(at, "escalation");
    out.add("what", x.what);
    out.add("expected", x.is_expected);
  }
  void operator()(const counter_read& x) {
    out.begin(at, "count");
    out.add("of", word_of(counter_words, x.what));
    out.add("v", x.value);
    out.add("exact", x.is_exact);
  }
  void operator()(const usage_seen& x) {
    out.begin(at, "usage");
    out.add("rss", x.resident_bytes);
    out.add("fds", x.open_files);
  }
  void operator()(const run_ended&) { out.begin(at, "end"); }
};

} // namespace

void append_line(std::string& to, const history_head& x) {
  json::array formats;
  for (auto format : x.formats)
    formats.emplace_back(word_of(format_words, format));
  json::array settings{x.settings.begin(), x.settings.end()};
  to += json::serialize(json::object{
      {"k", "begin"},
      {"format", history_format},
      {"build", x.build},
      {"plan", x.plan},
      // A number of JSON has 53 bits for some readers.
      {"seed", std::to_string(x.seed)},
      {"instances", std::move(formats)},
      {"settings", std::move(settings)},
  });
  to += '\n';
}

void append_line(std::string& to, const timed_record& x) {
  line_writer writer{x.at, line{to}};
  std::visit(writer, x.what);
  writer.out.end();
}

} // namespace fantail::chaos
