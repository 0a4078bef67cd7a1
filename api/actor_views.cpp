// SPDX-License-Identifier: MIT
#include "api/actor_views.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

namespace {

json::value or_null(int64_t x) {
  return x == 0 ? json::value{} : json::value{x};
}

json::value or_null(const std::string& x) {
  return x.empty() ? json::value{} : json::value{x};
}

std::string_view last_part(std::string_view id) {
  return id.substr(id.rfind('/') + 1);
}

bool is_supervisor(const actor_record& x) {
  auto* kind = x.kind.load();
  return kind && std::string_view{kind} == "supervisor";
}

json::array to_json(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

} // namespace

std::string type_of(const actor_record& x) {
  auto* kind = x.kind.load();
  std::string result = kind ? kind : "unknown";
  std::ranges::replace(result, '_', '-');
  return result;
}

actor_views::actor_views(const actor_directory& actors, const node_watch& watch,
                         time_point now, int64_t unix_now_ns)
    : actors_(actors), watch_(watch), now_ns_(to_ns(now)),
      unix_now_ns_(unix_now_ns) {
  records_ = actors.all();
  for (auto& x : records_) {
    children_[x->supervisor].push_back(x->id);
    if (is_supervisor(*x))
      boards_.emplace(x->id, x->board.read());
  }
}

const supervision_board::child_row*
actor_views::row_of(const actor_record& x) const {
  auto board = boards_.find(x.supervisor);
  if (board == boards_.end())
    return nullptr;
  for (auto& row : board->second.children)
    if (row.id == last_part(x.id))
      return &row;
  return nullptr;
}

actor_look actor_views::look(actor_directory::record_ptr record) const {
  actor_look result;
  result.signs = record->signs.read();
  result.life = record->journal.sum_up();
  result.pace = watch_.pace_of(*record);
  result.held = record->held.get();
  activity_signs signs;
  signs.busy_since_ns = result.signs.current_since_ns;
  signs.is_vacant = record->is_vacant;
  signs.is_suspended = record->is_suspended;
  auto* row = row_of(*record);
  signs.is_ended = signs.is_vacant && result.life.starts > 0 && row
                   && row->phase == supervisor_machine::child_phase::absent;
  result.state = activity_of(signs, now_ns_);
  result.record = std::move(record);
  return result;
}

std::vector<actor_look> actor_views::all() const {
  std::vector<actor_look> result;
  for (auto& x : records_)
    result.push_back(look(x));
  return result;
}

std::optional<actor_look> actor_views::find(std::string_view id) const {
  auto record = actors_.find(id);
  if (!record)
    return std::nullopt;
  return look(std::move(record));
}

const std::vector<std::string>&
actor_views::children_of(const std::string& id) const {
  static const std::vector<std::string> none;
  auto i = children_.find(id);
  return i == children_.end() ? none : i->second;
}

std::vector<std::string> actor_views::subtree(std::string_view id) const {
  std::vector<std::string> result{std::string{id}};
  for (auto& child : children_of(result.front()))
    for (auto& x : subtree(child))
      result.push_back(x);
  return result;
}

json::value actor_views::current_for(const actor_look& x) const {
  if (!x.signs.current)
    return {};
  return std::max<int64_t>(now_ns_ - x.signs.current_since_ns, 0);
}

json::object actor_views::summary(const actor_look& x) const {
  auto& record = *x.record;
  auto waits = record.signs.wait_times();
  auto times = record.signs.handler_times();
  auto& life = x.life;
  json::object result{
      {"id", record.id},
      {"type", type_of(record)},
      {"state", to_string(x.state)},
      {"supervisor", or_null(record.supervisor)},
      {"mailbox_length", x.signs.waiting + x.held},
      {"held", x.held},
      {"mailbox_wait_p50_ns", waits.quantile(0.5)},
      {"mailbox_wait_p99_ns", waits.quantile(0.99)},
      {"handler_p50_ns", times.quantile(0.5)},
      {"handler_p99_ns", times.quantile(0.99)},
      {"handler_max_ns", times.max()},
      {"messages", x.signs.handled},
      {"messages_per_second", x.pace.messages_per_second},
      {"busy_ratio", x.pace.busy_ratio},
      {"bytes",
       record.knows_bytes ? json::value{record.bytes.get()} : json::value{}},
      {"current_message", json::value{}},
      {"current_since_unix_ns", json::value{}},
      {"current_for_ns", current_for(x)},
      {"restarts", life.starts > 0 ? life.starts - 1 : 0},
      {"last_cause", or_null(life.last_cause)},
      {"last_end_unix_ns", or_null(life.last_end_unix_ns)},
      {"running_since_unix_ns", or_null(life.running_since_unix_ns)}};
  if (x.signs.current) {
    result["current_message"] = name_of(*x.signs.current);
    result["current_since_unix_ns"]
        = unix_now_ns_ - (now_ns_ - x.signs.current_since_ns);
  }
  return result;
}

json::object actor_views::details(const actor_look& x) const {
  json::array kinds;
  for (auto& [what, count] : x.record->signs.by_kind())
    kinds.push_back(json::object{{"type", what ? name_of(*what) : "other"},
                                 {"count", count}});
  json::array events;
  for (auto& event : x.record->journal.events())
    events.push_back(json::object{{"at_unix_ns", event.at_unix_ns},
                                  {"kind", to_string(event.what)},
                                  {"detail", event.detail}});
  return {{"messages_by_type", std::move(kinds)},
          {"events", std::move(events)},
          {"children", to_json(children_of(x.record->id))}};
}

json::object actor_views::node_of(const actor_look& x) const {
  using phase = supervisor_machine::child_phase;
  auto& record = *x.record;
  auto* row = row_of(record);
  // The root has no supervisor: it runs, or the process ends.
  auto shown_phase = row ? row->phase : phase::running;
  auto waits = row && shown_phase == phase::waiting;
  auto left = waits ? to_ns(row->due) - now_ns_ : 0;
  auto cause = x.life.last_cause;
  if (cause.empty() && row)
    cause = row->last_cause;
  json::array children;
  for (auto& id : children_of(record.id))
    if (auto child = find(id))
      children.push_back(node_of(*child));
  json::object result{
      {"id", record.id},
      {"name", last_part(record.id)},
      {"type", type_of(record)},
      {"state", to_string(x.state)},
      {"phase", to_string(shown_phase)},
      {"restart", to_string(row ? row->restart : restart_kind::permanent)},
      {"restarts", x.life.starts > 0 ? x.life.starts - 1 : 0},
      {"backoff_left_ns", std::max<int64_t>(left, 0)},
      {"last_cause", or_null(cause)},
      {"last_end_unix_ns", or_null(x.life.last_end_unix_ns)},
      {"running_since_unix_ns", or_null(x.life.running_since_unix_ns)},
      {"current_message", x.signs.current
                              ? json::value{name_of(*x.signs.current)}
                              : json::value{}},
      {"current_for_ns", current_for(x)},
      {"mailbox_length", x.signs.waiting + x.held},
      {"strategy", json::value{}},
      {"restarts_used", json::value{}},
      {"restarts_allowed", json::value{}},
      {"period_ns", json::value{}},
      {"children", std::move(children)}};
  if (auto board = boards_.find(record.id); board != boards_.end()) {
    auto& state = board->second;
    result["strategy"] = to_string(state.strategy);
    result["restarts_used"] = uint64_t{state.recent_restarts};
    result["restarts_allowed"] = state.intensity.restarts;
    result["period_ns"] = int64_t{state.intensity.period.count()};
  }
  return result;
}

json::object actor_views::tree() const {
  json::object result{{"taken_unix_ns", unix_now_ns_}};
  if (auto root = find("node"))
    result["root"] = node_of(*root);
  return result;
}

} // namespace fantail
