// SPDX-License-Identifier: MIT
#pragma once

#include "core/membership/member_record.hpp"
#include "core/ports.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace fantail::test {

/// A members store in memory. It answers when the test says so, or at once.
struct memory_members final : member_store_port {
  std::map<uint64_t, std::string> records;
  uint64_t last = 0;
  bool answers_at_once = true;
  /// Answers that are due.
  std::deque<std::function<void()>> due;
  size_t reads = 0;
  /// The next scan finds another stream than the last life of the node left.
  bool is_other_stream = false;

  void scan(presence_shard_id, uint64_t behind,
            batch_handler handler) override {
    member_batch batch;
    if (std::exchange(is_other_stream, false)) {
      batch.is_other_stream = true;
      answer([handler, batch] { handler(batch); });
      return;
    }
    for (auto i = records.upper_bound(behind); i != records.end(); ++i) {
      auto header = member_record::read_header(i->second);
      member_stub stub;
      stub.sequence = i->first;
      stub.bytes = static_cast<uint32_t>(i->second.size());
      if (header)
        stub = {stub.sequence, stub.bytes, std::string{header->user},
                header->version, header->digest};
      batch.records.push_back(std::move(stub));
    }
    batch.is_last = true;
    answer([handler, batch] { handler(batch); });
  }

  void read(presence_shard_id, uint64_t sequence,
            read_handler handler) override {
    ++reads;
    answer([this, sequence, handler] {
      auto found = records.find(sequence);
      if (found == records.end())
        handler(member_read_result::missing, {});
      else
        handler(member_read_result::found, found->second);
    });
  }

  void append(presence_shard_id, const std::string& record,
              append_handler handler) override {
    records[++last] = record;
    answer([sequence = last, handler] { handler(sequence); });
  }

  void purge(presence_shard_id, uint64_t before) override {
    records.erase(records.begin(), records.lower_bound(before));
  }

  /// Gives all answers that are due.
  void answer_all() {
    for (auto& x : std::exchange(due, {}))
      x();
  }

private:
  void answer(std::function<void()> what) {
    if (answers_at_once)
      what();
    else
      due.push_back(std::move(what));
  }
};

} // namespace fantail::test
