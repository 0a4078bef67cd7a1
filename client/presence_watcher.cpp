// SPDX-License-Identifier: MIT
#include "client/presence_watcher.hpp"

#include "core/json.hpp"

#include <map>
#include <optional>
#include <utility>

namespace fantail::client {

/// Everything but the constructor runs on the loop's thread.
class presence_watcher::state : public std::enable_shared_from_this<state> {
public:
  /// A change that came while the whole state was being asked for.
  struct news {
    int64_t version = 0;
    json::value body;
  };

  /// One topic. Lives on the loop's thread.
  struct followed {
    bool is_channel = false;
    std::string name;
    presence_watcher::channel_handler on_channel;
    presence_watcher::user_handler on_user;

    /// The watch as the node calls it; empty until it is open.
    std::string watch;
    int64_t number = 0;
    bool is_asking = false;
    bool is_known = false;
    std::vector<news> waiting;
    /// Pages of the state being asked for, and the version of the first.
    std::optional<int64_t> version;
    std::set<std::string> pages;
    std::set<std::string> online;
    std::vector<std::string> instances;

    std::string subject(const char* verb) const {
      return std::string{"presence."} + verb
             + (is_channel ? ".channel." : ".user.") + name;
    }

    void apply(const json::value& body) {
      if (is_channel) {
        if (auto* changes = body.find("changes");
            changes && changes->if_array())
          for (auto& x : *changes->if_array()) {
            auto user = x.string_or("user", "");
            if (x.bool_or("online", false))
              online.insert(user);
            else
              online.erase(user);
          }
      } else if (auto* list = body.find("instances");
                 list && list->if_array()) {
        instances.clear();
        for (auto& x : *list->if_array())
          if (auto* text = x.if_string())
            instances.push_back(*text);
      }
    }

    void tell() const {
      if (is_channel && on_channel)
        on_channel({name, online});
      else if (!is_channel && on_user)
        on_user({name, instances});
    }
  };

  state(nats::event_loop& loop, nats::connection& via,
        presence_watcher_options options)
      : loop(loop), via(via), options_(options), inbox_(via.new_inbox()) {}

  void start() {
    via.subscribe(inbox_, [this](const nats::message& x) { on_news(x); });
    loop.every(options_.renew_interval, [weak = weak_from_this()](time_point) {
      if (auto self = weak.lock())
        self->renew();
    });
  }

  void stop() {
    auto body
        = json::serialize(json::object{{"deliver_to", inbox_}, {"op", "end"}});
    for (auto& [subject, x] : topics_)
      via.publish(x.subject("watch"), body, inbox_ + ".ended");
    via.flush();
    topics_.clear();
  }

  void follow(followed x) {
    auto subject = x.subject("watch");
    auto& known = topics_[subject];
    known = std::move(x);
    open(subject);
  }

  nats::event_loop& loop;
  nats::connection& via;

  const std::string& inbox() const noexcept { return inbox_; }

private:
  followed* find(const std::string& subject) {
    auto i = topics_.find(subject);
    return i == topics_.end() ? nullptr : &i->second;
  }

  void renew() {
    for (auto& [subject, x] : topics_)
      open(subject);
  }

  /// Sends a request about a topic; the answer is lost with the topic.
  template <class F>
  void request(const std::string& subject, const std::string& topic,
               const json::value& body, F handler) {
    via.request(
        subject, json::serialize(body), options_.answer_timeout,
        [weak = weak_from_this(), topic, handler](const nats::message* x) {
          auto self = weak.lock();
          auto* known = self ? self->find(topic) : nullptr;
          if (!known)
            return;
          auto answer = x ? json::parse(x->body) : std::nullopt;
          handler(*self, *known, answer.value_or(json::value{}));
        });
  }

  void open(const std::string& topic) {
    request(topic, topic, json::object{{"deliver_to", inbox_}},
            [](state& self, followed& x, const json::value& answer) {
              auto watch = answer.string_or("watch", "");
              if (watch.empty())
                return;
              // Another watch, a number that never came, or no state yet.
              auto is_same = watch == x.watch;
              auto number = answer.int_or("number", 0);
              if (is_same && number == x.number && (x.is_known || x.is_asking))
                return;
              x.watch = watch;
              x.number = number;
              self.ask(x);
            });
  }

  /// Asks for the whole state; changes wait until it is here.
  void ask(followed& x) {
    x.is_asking = true;
    x.version.reset();
    x.pages.clear();
    ask_page(x, {});
  }

  void ask_page(followed& x, const std::string& next) {
    json::object body;
    if (x.is_channel)
      body["limit"] = 1'000;
    if (!next.empty())
      body["next"] = next;
    request(x.subject("query"), x.subject("watch"), body,
            [](state& self, followed& y, const json::value& answer) {
              self.on_page(y, answer);
            });
  }

  void on_page(followed& x, const json::value& answer) {
    if (answer.string_or("status", "") != "ok") {
      // The next renewal tries again.
      x.is_asking = false;
      x.is_known = false;
      return;
    }
    if (!x.version)
      x.version = answer.int_or("version", 0);
    if (auto* users = answer.find("users"); users && users->if_array())
      for (auto& user : *users->if_array())
        x.pages.insert(user.string_or("user", ""));
    if (auto next = answer.string_or("next", ""); !next.empty()) {
      ask_page(x, next);
      return;
    }
    x.online = std::move(x.pages);
    x.pages.clear();
    x.instances.clear();
    if (auto* sessions = answer.find("sessions");
        sessions && sessions->if_array())
      for (auto& session : *sessions->if_array())
        x.instances.push_back(session.string_or("instance", ""));
    x.is_asking = false;
    x.is_known = true;
    for (auto& y : std::exchange(x.waiting, {}))
      if (y.version > *x.version)
        x.apply(y.body);
    x.tell();
  }

  void on_news(const nats::message& message) {
    auto body = json::parse(message.body);
    if (!body)
      return;
    auto watch = body->string_or("watch", "");
    for (auto& [subject, x] : topics_) {
      if (x.watch != watch || watch.empty())
        continue;
      auto number = body->int_or("number", 0);
      auto is_next = number == x.number + 1;
      x.number = number;
      if (x.is_asking)
        x.waiting.push_back({body->int_or("version", 0), *body});
      if (!is_next) {
        ask(x);
      } else if (!x.is_asking && x.is_known) {
        x.apply(*body);
        x.tell();
      }
      return;
    }
  }

  presence_watcher_options options_;
  std::string inbox_;
  /// By the subject of the request to watch.
  std::map<std::string, followed> topics_;
};

presence_watcher::presence_watcher(nats::event_loop& loop,
                                   nats::connection& via,
                                   presence_watcher_options options)
    : state_(std::make_shared<state>(loop, via, options)) {
  state_->start();
}

presence_watcher::~presence_watcher() {
  state_->via.unsubscribe(state_->inbox());
  state_->loop.run_and_wait([this] { state_->stop(); });
}

void presence_watcher::watch_channel(std::string_view channel,
                                     channel_handler on_change) {
  state::followed x;
  x.is_channel = true;
  x.name = channel;
  x.on_channel = std::move(on_change);
  state_->loop.run_and_wait([&] { state_->follow(std::move(x)); });
}

void presence_watcher::watch_user(std::string_view user,
                                  user_handler on_change) {
  state::followed x;
  x.name = user;
  x.on_user = std::move(on_change);
  state_->loop.run_and_wait([&] { state_->follow(std::move(x)); });
}

} // namespace fantail::client
