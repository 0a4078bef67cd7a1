// SPDX-License-Identifier: MIT
#include "chaos/history/line_format.hpp"
#include "chaos/history/line_words.hpp"
#include "core/json.hpp"

#include <charconv>
#include <concepts>
#include <limits>

namespace fantail::chaos {

namespace {

/// The members of one line; remembers the first that is missing or wrong.
class members {
public:
  members(const json::value& from, std::string& why) : from_(from), why_(why) {}

  bool is_good() const { return why_.empty(); }

  template <std::unsigned_integral T>
  void read(std::string_view key, T& to) {
    read_number(from_.find(key), key, to);
  }

  template <class Tag, class Rep>
  void read(std::string_view key, tagged_id<Tag, Rep>& to) {
    read(key, to.value);
  }

  void read(std::string_view key, bool& to) {
    if (auto* x = from_.find(key); x && x->if_bool())
      to = *x->if_bool();
    else
      complain(key);
  }

  void read(std::string_view key, std::string& to) {
    if (auto* x = from_.find(key); x && x->if_string())
      to = *x->if_string();
    else
      complain(key);
  }

  void read(std::string_view key, time_point& to) {
    uint64_t ns = 0;
    read(key, ns);
    to = time_point{std::chrono::nanoseconds{static_cast<int64_t>(ns)}};
  }

  template <class Enum, size_t N>
  void read(std::string_view key, const std::array<std::string_view, N>& words,
            Enum& to) {
    std::string word;
    read(key, word);
    read_word(word, key, words, to);
  }

  template <class Enum, size_t N>
  void read_word(std::string_view word, std::string_view key,
                 const std::array<std::string_view, N>& words, Enum& to) {
    for (size_t i = 0; i < N; ++i)
      if (words[i] == word) {
        to = static_cast<Enum>(i);
        return;
      }
    complain(key);
  }

  const json::array& list(std::string_view key) {
    static const json::array nothing;
    auto* x = from_.find(key);
    if (x && x->if_array())
      return *x->if_array();
    complain(key);
    return nothing;
  }

  template <std::unsigned_integral T>
  void read_number(const json::value* x, std::string_view key, T& to) {
    auto* number = x ? x->if_int() : nullptr;
    if (!number || *number < 0
        || static_cast<uint64_t>(*number) > std::numeric_limits<T>::max())
      complain(key);
    else
      to = static_cast<T>(*number);
  }

  void complain(std::string_view key) {
    if (why_.empty())
      why_ = "member \"" + std::string{key} + "\" is missing or wrong";
  }

private:
  const json::value& from_;
  std::string& why_;
};

record read_presence_call(members& in) {
  presence_called x;
  in.read("n", x.call);
  in.read("u", x.user);
  in.read("op", call_words, x.what);
  in.read("se", x.session);
  in.read("i", x.instance);
  for (auto& item : in.list("ch"))
    in.read_number(&item, "ch", x.channels.emplace_back());
  return x;
}

record read_user_seen(members& in) {
  user_seen x;
  in.read("u", x.user);
  in.read("asked", x.asked_at);
  for (auto& item : in.list("se")) {
    auto* pair = item.if_array();
    if (!pair || pair->size() != 2) {
      in.complain("se");
      break;
    }
    auto& session = x.sessions.emplace_back();
    in.read_number(&pair->front(), "se", session.first);
    in.read_number(&pair->back(), "se", session.second);
  }
  return x;
}

record read_delivery(members& in) {
  event_received x;
  in.read("i", x.instance);
  in.read("e", x.event);
  in.read("s", x.shard);
  in.read("ep", x.epoch);
  return x;
}

record read_loss(members& in) {
  loss_reported x;
  in.read("i", x.instance);
  in.read("s", x.shard);
  in.read("from", x.from);
  in.read("to", x.to);
  return x;
}

record read_fault(members& in) {
  fault_marked x;
  in.read("n", x.fault);
  in.read("is", phase_words, x.phase);
  in.read("kind", x.kind);
  in.read("target", x.target);
  in.read("i", x.instance);
  return x;
}

record read_counter(members& in) {
  counter_read x;
  in.read("of", counter_words, x.what);
  in.read("v", x.value);
  in.read("exact", x.is_exact);
  return x;
}

/// Reads one or two members into a record.
template <class Record, class First>
record read_one(members& in, std::string_view key, First Record::*first) {
  Record x;
  in.read(key, x.*first);
  return x;
}

template <class Record, class First, class Second>
record read_two(members& in, std::string_view key, First Record::*first,
                std::string_view key2, Second Record::*second) {
  Record x;
  in.read(key, x.*first);
  in.read(key2, x.*second);
  return x;
}

record read_answer(members& in) {
  presence_answered x;
  in.read("n", x.call);
  in.read("is", outcome_words, x.outcome);
  return x;
}

std::optional<record> read_kind(std::string_view kind, members& in) {
  if (kind == "recv")
    return read_delivery(in);
  if (kind == "pub")
    return read_two(in, "e", &publish_called::event, "c",
                    &publish_called::channel);
  if (kind == "stored")
    return read_two(in, "e", &publish_stored::event, "p", &publish_stored::pos);
  if (kind == "refused")
    return read_one(in, "e", &publish_refused::event);
  if (kind == "garbage")
    return read_two(in, "i", &garbage_received::instance, "what",
                    &garbage_received::what);
  if (kind == "loss")
    return read_loss(in);
  if (kind == "call")
    return read_presence_call(in);
  if (kind == "answer")
    return read_answer(in);
  if (kind == "seen")
    return read_user_seen(in);
  if (kind == "lapse")
    return read_one(in, "i", &sessions_lapsed::instance);
  if (kind == "link")
    return read_two(in, "i", &link_changed::instance, "up",
                    &link_changed::is_up);
  if (kind == "node")
    return read_one(in, "up", &node_changed::is_up);
  if (kind == "fault")
    return read_fault(in);
  if (kind == "escalation")
    return read_two(in, "what", &escalation_seen::what, "expected",
                    &escalation_seen::is_expected);
  if (kind == "count")
    return read_counter(in);
  if (kind == "usage")
    return read_two(in, "rss", &usage_seen::resident_bytes, "fds",
                    &usage_seen::open_files);
  if (kind == "end")
    return run_ended{};
  return std::nullopt;
}

} // namespace

std::optional<history_head> parse_head(std::string_view text,
                                       std::string& why) {
  auto parsed = json::parse(text, &why);
  if (!parsed)
    return std::nullopt;
  why.clear();
  if (parsed->string_or("k", "") != "begin"
      || parsed->int_or("format", 0) != history_format) {
    why = "this is no history, or one of another format";
    return std::nullopt;
  }
  members in{*parsed, why};
  history_head result;
  std::string seed;
  in.read("build", result.build);
  in.read("plan", result.plan);
  in.read("seed", seed);
  auto end = seed.data() + seed.size();
  if (std::from_chars(seed.data(), end, result.seed).ptr != end || seed.empty())
    in.complain("seed");
  for (auto& x : in.list("instances")) {
    auto* word = x.if_string();
    in.read_word(word ? *word : std::string_view{}, "instances", format_words,
                 result.formats.emplace_back());
  }
  for (auto& x : in.list("settings")) {
    if (auto* text = x.if_string())
      result.settings.push_back(*text);
    else
      in.complain("settings");
  }
  return in.is_good() ? std::optional{std::move(result)} : std::nullopt;
}

std::optional<timed_record> parse_record(std::string_view text,
                                         std::string& why) {
  auto parsed = json::parse(text, &why);
  if (!parsed)
    return std::nullopt;
  why.clear();
  members in{*parsed, why};
  timed_record result;
  std::string kind;
  in.read("t", result.at);
  in.read("k", kind);
  auto what = read_kind(kind, in);
  if (!what && in.is_good())
    why = "unknown kind \"" + kind + "\"";
  if (!in.is_good())
    return std::nullopt;
  result.what = std::move(*what);
  return result;
}

} // namespace fantail::chaos
