// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"
#include "tests/integration/node_process.hpp"
#include "tests/paths.hpp"
#include "tests/runtime/http/raw_http.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fantail::test {

/// api/openapi.json, and what an answer has to be by it: enough of OpenAPI 3.0
/// for what the file uses.
class contract {
public:
  contract()
      : document_(json::parse(content_of(source_dir() + "/api/openapi.json"))
                      .value_or(json::value{})) {}

  const json::value& document() const { return document_; }

  /// What is wrong with `answer` to a request for `path`; empty if nothing is.
  std::vector<std::string> check(const std::string& path,
                                 const std::string& method,
                                 const raw_http::response& answer) const {
    auto* response = response_of(path, method, answer.status);
    if (!response)
      return {method + " " + path + " is not documented to answer "
              + std::to_string(answer.status) + ": " + answer.body};
    auto* content = response->find("content");
    auto* form = content ? content->find("application/json") : nullptr;
    if (!form)
      return {};
    auto body = json::parse(answer.body);
    if (!body)
      return {"no JSON: " + answer.body};
    std::vector<std::string> problems;
    match(*form->find("schema"), *body, method + " " + path, problems);
    return problems;
  }

  /// The example of an answer, and its schema; null if there is none.
  const json::value* form_of(const std::string& path, const std::string& method,
                             int status) const {
    auto* response = response_of(path, method, status);
    auto* content = response ? response->find("content") : nullptr;
    return content ? content->find("application/json") : nullptr;
  }

  /// Appends what of `x` does not fit `schema`.
  void match(const json::value& schema, const json::value& x,
             const std::string& at, std::vector<std::string>& out) const {
    auto& form = resolve(schema);
    if (x.is_null()) {
      if (!form.bool_or("nullable", false))
        out.push_back(at + " is null");
      return;
    }
    if (auto* all = form.find("allOf"))
      for (auto& part : *all->if_array())
        match(part, x, at, out);
    if (auto* one = form.find("oneOf"))
      match_one(*one->if_array(), x, at, out);
    match_type(form, x, at, out);
    if (auto* words = form.find("enum"); words && x.if_string())
      match_word(*words->if_array(), x, at, out);
    if (x.if_object())
      match_members(form, *x.if_object(), at, out);
    if (auto* items = form.find("items"); items && x.if_array())
      for (auto& item : *x.if_array())
        match(*items, item, at + "[]", out);
  }

private:
  static const json::value& member(const json::value& x, std::string_view key) {
    static const json::value nothing;
    auto* found = x.find(key);
    return found ? *found : nothing;
  }

  const json::value& resolve(const json::value& x) const {
    auto name = x.string_or("$ref", "");
    if (name.empty())
      return x;
    auto* at = &document_;
    for (size_t begin = 2; begin < name.size();) {
      auto end = std::min(name.find('/', begin), name.size());
      at = &member(*at, name.substr(begin, end - begin));
      begin = end + 1;
    }
    return resolve(*at);
  }

  const json::value* response_of(const std::string& path,
                                 const std::string& method, int status) const {
    auto& operation = member(member(member(document_, "paths"), path), method);
    auto* found = member(operation, "responses").find(std::to_string(status));
    return found ? &resolve(*found) : nullptr;
  }

  void match_one(const json::array& forms, const json::value& x,
                 const std::string& at, std::vector<std::string>& out) const {
    std::vector<std::string> nearest;
    for (auto& form : forms) {
      std::vector<std::string> problems;
      match(form, x, at, problems);
      if (problems.empty())
        return;
      if (nearest.empty() || problems.size() < nearest.size())
        nearest = problems;
    }
    out.insert(out.end(), nearest.begin(), nearest.end());
  }

  static void match_type(const json::value& form, const json::value& x,
                         const std::string& at, std::vector<std::string>& out) {
    auto type = form.string_or("type", "");
    auto fits = type.empty() || (type == "object" && x.if_object())
                || (type == "array" && x.if_array())
                || (type == "string" && x.if_string())
                || (type == "integer" && x.if_int())
                || (type == "number" && x.as_double())
                || (type == "boolean" && x.if_bool());
    if (!fits)
      out.push_back(at + " is no " + type + ": " + json::serialize(x));
  }

  static void match_word(const json::array& words, const json::value& x,
                         const std::string& at, std::vector<std::string>& out) {
    if (std::find(words.begin(), words.end(), x) == words.end())
      out.push_back(at + " is none of its words: " + json::serialize(x));
  }

  void match_members(const json::value& form, const json::object& x,
                     const std::string& at,
                     std::vector<std::string>& out) const {
    if (auto* required = form.find("required"))
      for (auto& key : *required->if_array())
        if (!x.contains(*key.if_string()))
          out.push_back(at + " lacks " + *key.if_string());
    auto* others = form.find("additionalProperties");
    for (auto& [key, value] : x)
      if (auto* known = member(form, "properties").find(key))
        match(*known, value, at + "." + key, out);
      else if (others && others->if_object())
        match(*others, value, at + "." + key, out);
  }

  json::value document_;
};

} // namespace fantail::test
