// SPDX-License-Identifier: MIT
#include "runtime/nats/stream_scan.hpp"

#include <memory>
#include <utility>
#include <variant>

namespace fantail::nats {

namespace {

/// A scan under way; lives in the handlers of what it waits for.
class running_scan : public std::enable_shared_from_this<running_scan> {
public:
  running_scan(connection& via, stream_scan what)
      : via_(via), what_(std::move(what)) {}

  void start() {
    read_stream_state(via_, what_.stream,
                      [self = shared_from_this()](api_result<stream_state> x) {
                        if (auto* found = std::get_if<stream_state>(&x))
                          self->on_state(*found);
                        else
                          self->end(false);
                      });
  }

private:
  void on_state(const stream_state& found) {
    if (!what_.on_state(found))
      return end(true);
    create_consumer(via_, {what_.stream, what_.consumer, what_.behind + 1},
                    [self = shared_from_this()](api_result<std::monostate> x) {
                      if (x.index() == 0)
                        self->read();
                      else
                        self->end(false);
                    });
  }

  void read() {
    inbox_ = via_.new_inbox();
    via_.subscribe(inbox_, [self = shared_from_this()](const message& x) {
      self->on_message(x);
    });
    ask();
  }

  void ask() {
    if (!request_available(via_, what_.stream, what_.consumer, inbox_,
                           what_.batch))
      end(false);
  }

  void on_message(const message& x) {
    if (is_over_)
      return;
    auto info = parse_delivery(x.reply);
    if (!info) {
      // 404 and 408: there is nothing more; anything else is a failure.
      auto status = x.status();
      end(status == "404" || status == "408");
    } else if (!what_.on_message(*info, x) || info->pending == 0) {
      end(true);
    } else if (++received_ % what_.batch == 0) {
      ask();
    }
  }

  void end(bool is_complete) {
    if (std::exchange(is_over_, true))
      return;
    auto keep = shared_from_this();
    if (!inbox_.empty()) {
      via_.unsubscribe(inbox_);
      delete_consumer(via_, what_.stream, what_.consumer);
    }
    what_.on_end(is_complete);
  }

  connection& via_;
  stream_scan what_;
  std::string inbox_;
  uint64_t received_ = 0;
  bool is_over_ = false;
};

} // namespace

void start_scan(connection& via, stream_scan scan) {
  std::make_shared<running_scan>(via, std::move(scan))->start();
}

} // namespace fantail::nats
