// SPDX-License-Identifier: MIT
#include "actors/seat_control.hpp"

#include "messages/operators.hpp"
#include "messages/supervision.hpp"
#include "messages/wall_clock.hpp"

#include <caf/actor.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>

namespace fantail {

namespace {

using happened = actor_journal::kind;

constexpr std::string_view name_of(kill_mode x) {
  constexpr std::string_view names[]{"exception", "exit", "kill", "hang"};
  return names[static_cast<size_t>(x)];
}

} // namespace

void seat_control::enter(const place& where, const std::string& supervisor,
                         const std::string& name, bool is_supervisor) {
  // Below the root, paths are as short as they can be.
  auto is_deep = !supervisor.empty() && supervisor != "node";
  auto record = where->shared_record();
  record->id = is_deep ? supervisor + "/" + name : name;
  record->supervisor = supervisor;
  {
    std::lock_guard guard{mutex_};
    entries_[record->id] = {where, is_supervisor};
  }
  directory_.enter(std::move(record));
}

seat_control::entry seat_control::find(std::string_view id) const {
  std::lock_guard guard{mutex_};
  auto i = entries_.find(id);
  return i == entries_.end() ? entry{} : i->second;
}

control_result seat_control::kill(std::string_view id, kill_mode mode,
                                  duration hang_for) {
  auto target = find(id);
  if (!target.where)
    return control_result::unknown;
  if (target.where->record().is_vacant)
    return control_result::away;
  auto to = target.where.as<caf::actor>();
  target.where->record().journal.add(happened::killed, unix_now_ns(),
                                     std::string{name_of(mode)});
  switch (mode) {
  case kill_mode::exception:
    caf::anon_send(to, fail_on_purpose{});
    break;
  case kill_mode::exit:
    // Whoever is done in order might not be started again.
    to->enqueue(nullptr, caf::make_message_id(),
                caf::make_message(caf::exit_msg{
                    to.address(),
                    caf::make_error(caf::sec::runtime_error, "told to exit")}),
                nullptr);
    break;
  case kill_mode::kill:
    caf::anon_send_exit(to, caf::exit_reason::kill);
    break;
  case kill_mode::hang:
    caf::anon_send(to, hang_on_purpose{hang_for});
    break;
  }
  return control_result::done;
}

control_result seat_control::suspend(std::string_view id) {
  auto target = find(id);
  if (!target.where)
    return control_result::unknown;
  if (target.is_supervisor)
    return control_result::refused;
  if (!target.where->suspend())
    return control_result::unchanged;
  target.where->record().journal.add(happened::suspended, unix_now_ns());
  return control_result::done;
}

control_result seat_control::resume(std::string_view id) {
  auto target = find(id);
  if (!target.where)
    return control_result::unknown;
  if (!target.where->resume())
    return control_result::unchanged;
  target.where->record().journal.add(happened::resumed, unix_now_ns());
  return control_result::done;
}

std::optional<json::object> seat_control::describe(std::string_view id,
                                                   duration timeout) {
  auto target = find(id);
  if (!target.where || target.where->record().is_vacant)
    return std::nullopt;
  auto answer = std::make_shared<gathering<actor_description>>();
  caf::anon_send(target.where.as<caf::actor>(), describe_actor{answer});
  auto said = answer->wait(timeout);
  return said ? std::optional{std::move(said->front().what)} : std::nullopt;
}

} // namespace fantail
