// SPDX-License-Identifier: MIT
#pragma once

#include "console/paint.hpp"
#include "core/json.hpp"

#include <string>
#include <string_view>

/// The node's answers as pages. Pure: (answer, look) -> lines. What an answer
/// lacks is shown as not known.
namespace fantail::console {

/// GET /node
page show_status(const json::value& x, const look& how);
/// GET /tree
page show_tree(const json::value& x, const look& how);
/// GET /actors
page show_actors(const json::value& x, const look& how);
/// GET /actors/{id}
page show_actor(const json::value& x, const look& how);
/// GET /shards
page show_shards(const json::value& x, const look& how);
/// GET /instances
page show_instances(const json::value& x, const look& how);
/// The instance of that name out of GET /instances; no lines if there is none.
page show_instance(const json::value& x, std::string_view name,
                   const look& how);
/// GET /channels
page show_channels(const json::value& x, const look& how);
/// GET /channels/{name}/route
page show_route(const json::value& x, const look& how);
/// GET /users/{name}
page show_user(const json::value& x, const look& how);
/// GET /deadletters
page show_dead_letters(const json::value& x, const look& how);
/// What was done, or would be: the answer to a change.
page show_action(const json::value& x, const look& how);

/// One event of GET /events in one line.
std::string show_event(const json::value& x, const look& how);
/// One hop of GET /trace in one line.
std::string show_hop(const json::value& x, const look& how);

/// The command that opens an actor; empty if `id` is.
std::string open_actor(const std::string& id);

} // namespace fantail::console
