// SPDX-License-Identifier: MIT
#include "runtime/nats/log_reader.hpp"

#include "core/subject.hpp"

#include <optional>
#include <utility>

namespace fantail::nats {

namespace {

/// A pull ends here even if more was read, so that routing begins early and
/// no message between actors grows without bound.
constexpr size_t pull_bytes_max = 1024 * 1024;

/// The protocol's word for the reason; the name in the subject is a channel, a
/// user or an instance.
std::string_view word_of(reject_reason x, std::string_view source) {
  switch (x) {
  case reject_reason::illegal_channel:
    if (source == "presence")
      return "illegal_user";
    return source == "register" ? "illegal_instance" : "illegal_channel";
  case reject_reason::headers_too_large:
    return "headers_too_large";
  case reject_reason::event_too_large:
    return "event_too_large";
  default:
    return "none";
  }
}

int64_t monotonic_ns() {
  return to_ns(std::chrono::steady_clock::now());
}

} // namespace

/// Everything but the constructor runs on the link's thread.
struct log_reader::impl : std::enable_shared_from_this<log_reader::impl> {
  ingest_link& link;
  log_spec spec;
  control_port& control;
  sink out;
  uint64_t attempt = 0;
  std::string consumer;
  std::string inbox;
  std::optional<pull_builder> builder;
  uint64_t consumer_sequence = 0;
  uint64_t pending = 0;
  int64_t received_at_ns = 0;

  impl(ingest_link& l, log_spec s, control_port& c)
      : link(l), spec(std::move(s)), control(c) {}

  connection& via() { return link.on(); }

  void open(uint64_t number, position from) {
    end_attempt();
    attempt = number;
    read_stream_state(
        via(), spec.stream.name,
        [self = shared_from_this(), number, from](api_result<stream_state> x) {
          if (auto* state = std::get_if<stream_state>(&x))
            self->make_consumer(number, from, *state);
          else
            self->fail(number, std::get<api_error>(x));
        });
  }

  void make_consumer(uint64_t number, position from, stream_state state) {
    if (number != attempt)
      return;
    auto begin = position{
        std::max(from.value + 1, std::max<uint64_t>(state.first, 1)) - 1};
    consumer = spec.stream.name + "_" + spec.incarnation + "_"
               + std::to_string(number);
    create_consumer(via(),
                    {spec.stream.name, consumer, begin.value + 1, spec.filter},
                    [self = shared_from_this(), number, begin,
                     state = std::move(state)](api_result<std::monostate> x) {
                      if (auto* error = std::get_if<api_error>(&x))
                        self->fail(number, *error);
                      else
                        self->begin_reading(number, begin, state);
                    });
  }

  void begin_reading(uint64_t number, position begin,
                     const stream_state& state) {
    if (number != attempt)
      return;
    builder.emplace(spec.shard, begin);
    consumer_sequence = 0;
    pending = state.last > begin.value ? state.last - begin.value : 0;
    inbox = via().new_inbox();
    via().subscribe(inbox, [this](const message& x) { on_message(x); });
    if (out.on_opened)
      out.on_opened(number, {state.created_at, position{state.first},
                             position{state.last}});
  }

  void fail(uint64_t number, const api_error& error) {
    if (number != attempt || !out.on_failed)
      return;
    out.on_failed(number,
                  {error.code == api_code::stream_not_found, error.text});
  }

  /// Makes sure that nothing more comes from the consumer in use.
  void end_attempt() {
    ++attempt;
    builder.reset();
    if (!inbox.empty())
      via().unsubscribe(std::exchange(inbox, {}));
    if (!consumer.empty())
      delete_consumer(via(), spec.stream.name, std::exchange(consumer, {}));
  }

  void request(uint64_t number, uint32_t events) {
    if (number == attempt && builder)
      request_pull(via(), spec.stream.name, consumer, inbox, events,
                   limits::pull_expires, limits::pull_heartbeat);
  }

  void on_message(const message& x) {
    if (!builder)
      return;
    auto info = parse_delivery(x.reply);
    if (!info) {
      on_status(x);
      return;
    }
    // Without acknowledgements a lost message is never sent again: the
    // consumer's own numbers tell.
    if (info->consumer_sequence != ++consumer_sequence
        || info->stream_sequence <= builder->to().value) {
      end_with(request_end::broken);
      return;
    }
    if (builder->untouched())
      received_at_ns = monotonic_ns();
    pending = info->pending;
    auto name = x.subject.substr(
        std::min(spec.subject_prefix.size(), x.subject.size()));
    auto at = position{info->stream_sequence};
    auto problem
        = builder->add(at, info->stored_at_ns, name, x.headers, x.body);
    if (problem != reject_reason::none)
      control.bury({spec.source, x.subject, x.body,
                    word_of(problem, spec.source), "the event was skipped",
                    at});
    if (builder->byte_count() >= pull_bytes_max
        || builder->size() >= limits::pull_events_max)
      finish_pull();
  }

  void on_status(const message& x) {
    auto status = x.status();
    if (status == "100")
      end_with(request_end::heartbeat);
    else if (status == "404" || status == "408")
      end_with(request_end::expired);
    else if (x.headers.find("Exceeded") != std::string_view::npos)
      end_with(request_end::refused);
    else
      end_with(request_end::broken);
  }

  void end_with(request_end what) {
    finish_pull();
    if (out.on_request_end)
      out.on_request_end(attempt, what);
  }

  void finish_pull() {
    if (!builder || builder->untouched())
      return;
    auto events = builder->finish(received_at_ns, pending);
    if (out.on_pull)
      out.on_pull(attempt, std::move(events));
  }
};

log_reader::log_reader(ingest_link& link, log_spec spec, control_port& control)
    : impl_(std::make_shared<impl>(link, std::move(spec), control)) {
  link.add(impl_);
}

log_reader::~log_reader() {
  close();
}

void log_reader::attach(sink events) {
  impl_->link.loop_.run_and_wait([&] { impl_->out = std::move(events); });
}

void log_reader::open(uint64_t attempt, position from) {
  impl_->link.loop_.post(
      [self = impl_, attempt, from] { self->open(attempt, from); });
}

void log_reader::request(uint64_t attempt, uint32_t events) {
  impl_->link.loop_.post(
      [self = impl_, attempt, events] { self->request(attempt, events); });
}

void log_reader::restore_stream() {
  // A stream of somebody else is not ours to make.
  if (impl_->spec.stream.subjects.empty())
    return;
  ensure_stream(impl_->via(), impl_->spec.stream, [](auto&&) {
    // The next attempt to open it shows whether that worked.
  });
}

void log_reader::close() {
  impl_->link.loop_.run_and_wait([this] {
    impl_->out = {};
    impl_->end_attempt();
  });
  impl_->link.remove(impl_);
}

ingest_link::ingest_link(connect_options options) {
  connection::handlers on;
  on.on_up = [this](uint64_t) {
    for (auto& reader : readers_)
      if (reader->out.on_link_up)
        reader->out.on_link_up();
  };
  on.on_down = [this](uint64_t, const std::string&) {
    for (auto& reader : readers_) {
      reader->builder.reset();
      if (reader->out.on_link_down)
        reader->out.on_link_down();
    }
  };
  on.on_read_end = [this] {
    for (auto& reader : readers_)
      reader->finish_pull();
  };
  connection_
      = std::make_unique<connection>(loop_, std::move(options), std::move(on));
}

ingest_link::~ingest_link() {
  connection_.reset();
}

void ingest_link::start() {
  connection_->start();
}

void ingest_link::add(std::shared_ptr<log_reader::impl> reader) {
  loop_.run_and_wait([&] { readers_.push_back(std::move(reader)); });
}

void ingest_link::remove(const std::shared_ptr<log_reader::impl>& reader) {
  loop_.run_and_wait([&] { std::erase(readers_, reader); });
}

} // namespace fantail::nats
