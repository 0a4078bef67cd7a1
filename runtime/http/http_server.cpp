// SPDX-License-Identifier: MIT
#include "runtime/http/http_server.hpp"

#include "runtime/http/http_routes.hpp"
#include "runtime/http/listen_problem.hpp"

// The thread sanitizer does not know fences, and GCC warns of each.
#ifdef __SANITIZE_THREAD__
#  define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

namespace fantail {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;
using net::ip::tcp;
using namespace std::chrono_literals;

namespace {

/// How long a connection that is being closed may go on sending. Closing with
/// bytes unread would reset it, and the client might never see the response.
constexpr auto farewell = 2s;

/// How often a response that goes on is asked for more.
constexpr auto stream_pause = 100ms;

/// Pause after a failed accept: the process has run out of descriptors.
constexpr auto accept_pause = 100ms;

} // namespace

// -- the server

class http_server::impl {
public:
  impl(http_server_config config, std::vector<http_route> routes)
      : config_(std::move(config)), routes_(std::move(routes)) {}
  ~impl();

  std::optional<std::string> listen();
  uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void run();

  const http_server_config& config() const noexcept { return config_; }
  void join() { ++connections_; }
  void leave() { --connections_; }
  /// Answers `request` through `who`, now or later.
  void serve(http_request request, std::shared_ptr<session> who);

private:
  void accept();
  void on_accept(error_code failure, tcp::socket socket);
  void enqueue(const http_route& route, http_request request,
               std::shared_ptr<session> who);

  const http_server_config config_;
  const std::vector<http_route> routes_;
  // Touched by the I/O thread only. Declared before the context, whose end
  // ends the last sessions.
  size_t connections_ = 0;
  size_t waiting_ = 0;
  bool has_long_ = false;
  net::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  net::steady_timer pause_{io_};
  net::thread_pool prompt_lane_{1};
  net::thread_pool patient_lane_{1};
  net::thread_pool long_lane_{1};
  std::thread thread_;
};

// -- one connection

/// Reads a request, has it answered, and so on. Lives as long as an operation
/// or a handler holds it, and runs on the I/O thread only.
class http_server::session : public std::enable_shared_from_this<session> {
public:
  session(impl& server, tcp::socket socket)
      : server_(server), stream_(std::move(socket)) {
    server_.join();
    error_code why;
    auto peer = stream_.socket().remote_endpoint(why);
    if (!why)
      peer_ = peer.address().to_string() + ":" + std::to_string(peer.port());
  }
  ~session() { server_.leave(); }

  void read() {
    parser_.emplace();
    parser_->header_limit(
        static_cast<uint32_t>(server_.config().header_bytes_max));
    parser_->body_limit(server_.config().body_bytes_max);
    stream_.expires_after(server_.config().idle_timeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code why, size_t) {
                       self->on_read(why);
                     });
  }

  /// `allowed` names the methods of the path, for status 405.
  void respond(http_response x, const std::string& allowed = {}) {
    response_.emplace();
    response_->version(version_);
    response_->result(x.status);
    response_->set(http::field::content_type, x.content_type);
    response_->set(http::field::cache_control, "no-store");
    response_->set("X-Content-Type-Options", "nosniff");
    if (!allowed.empty())
      response_->set(http::field::allow, allowed);
    if (x.status == 503)
      response_->set(http::field::retry_after, "1");
    next_ = is_head_ ? nullptr : std::move(x.stream);
    keeps_alive_ = keeps_alive_ && !next_;
    response_->keep_alive(keeps_alive_);
    response_->body() = std::move(x.body);
    // The end of a stream is that of its connection.
    if (!next_)
      response_->prepare_payload();
    serializer_.emplace(*response_);
    stream_.expires_after(server_.config().idle_timeout);
    auto done = [self = shared_from_this()](error_code why, size_t) {
      self->on_written(why);
    };
    if (is_head_)
      http::async_write_header(stream_, *serializer_, std::move(done));
    else
      http::async_write(stream_, *serializer_, std::move(done));
  }

private:
  void on_read(error_code why) {
    if (why) {
      refuse(why);
      return;
    }
    auto message = parser_->release();
    version_ = message.version();
    keeps_alive_ = message.keep_alive();
    is_head_ = message.method() == http::verb::head;
    http_request request;
    request.method = std::string{message.method_string()};
    auto target = message.target();
    if (!parse_target({target.data(), target.size()}, request)) {
      respond(malformed_path({target.data(), target.size()}));
      return;
    }
    request.body = std::move(message.body());
    auto field = [&message](auto name) {
      auto text = message[name];
      return std::string{text.data(), text.size()};
    };
    request.authorization = field(http::field::authorization);
    request.last_event_id = field("Last-Event-ID");
    request.user_agent = field(http::field::user_agent);
    request.peer = peer_;
    server_.serve(std::move(request), shared_from_this());
  }

  /// What cannot be read as a request ends the connection, because nobody
  /// knows where the next one begins.
  void refuse(error_code why) {
    keeps_alive_ = false;
    is_head_ = false;
    if (why == http::error::header_limit)
      respond(too_large_header());
    else if (why == http::error::body_limit)
      respond(too_large_body());
    else if (why == http::error::buffer_overflow)
      respond(parser_->is_header_done() ? too_large_body()
                                        : too_large_header());
    else if (why.category() == error_code{http::error::bad_target}.category()
             && why != http::error::end_of_stream
             && why != http::error::partial_message)
      respond(problem_response(400, "this is no HTTP request: " + why.message(),
                               "speak HTTP/1.1"));
  }

  void on_written(error_code why) {
    if (why)
      return;
    if (keeps_alive_) {
      read();
      return;
    }
    if (next_) {
      begin_stream();
      return;
    }
    stream_.socket().shutdown(tcp::socket::shutdown_send, why);
    stream_.expires_after(farewell);
    drain();
  }

  // -- a response that goes on

  void begin_stream() {
    stream_.expires_never();
    drain();
    poll_stream();
  }

  void poll_stream() {
    if (!next_)
      return;
    auto part = next_();
    if (!part) {
      error_code ignored;
      stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
      pause_.expires_after(farewell);
      pause_.async_wait(
          [self = shared_from_this()](error_code) { self->leave(); });
      return;
    }
    if (part->empty()) {
      pause_.expires_after(stream_pause);
      pause_.async_wait([self = shared_from_this()](error_code why) {
        if (!why)
          self->poll_stream();
      });
      return;
    }
    part_ = std::move(*part);
    stream_.expires_after(server_.config().idle_timeout);
    net::async_write(stream_, net::buffer(part_),
                     [self = shared_from_this()](error_code why, size_t) {
                       if (why)
                         self->leave();
                       else
                         self->poll_stream();
                     });
  }

  void leave() {
    next_ = nullptr;
    pause_.cancel();
    stream_.close();
  }

  /// Reads what nobody wants until the client leaves.
  void drain() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](
                                                       error_code why, size_t) {
      if (why)
        self->leave();
      else
        self->drain();
    });
  }

  impl& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{64 * 1024};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::string peer_;
  http_stream next_;
  std::string part_;
  net::steady_timer pause_{stream_.get_executor()};
  unsigned version_ = 11;
  bool keeps_alive_ = false;
  bool is_head_ = false;
};

http_server::impl::~impl() {
  io_.stop();
  if (thread_.joinable())
    thread_.join();
  for (auto* lane : {&prompt_lane_, &patient_lane_, &long_lane_})
    lane->stop();
  for (auto* lane : {&prompt_lane_, &patient_lane_, &long_lane_})
    lane->join();
}

std::optional<std::string> http_server::impl::listen() {
  error_code why;
  auto is_local = config_.address == "localhost";
  auto address
      = net::ip::make_address(is_local ? "127.0.0.1" : config_.address, why);
  if (why)
    return "\"" + config_.address + "\" is no IP address; set http.address";
  tcp::endpoint at{address, config_.port};
  acceptor_.open(at.protocol(), why);
  if (!why)
    acceptor_.set_option(net::socket_base::reuse_address{true}, why);
  if (!why)
    acceptor_.bind(at, why);
  if (!why)
    acceptor_.listen(net::socket_base::max_listen_connections, why);
  if (why)
    return listen_problem(config_, why);
  return std::nullopt;
}

void http_server::impl::run() {
  accept();
  thread_ = std::thread{[this] {
    io_.run();
  }};
}

void http_server::impl::accept() {
  acceptor_.async_accept([this](error_code failure, tcp::socket socket) {
    on_accept(failure, std::move(socket));
  });
}

void http_server::impl::on_accept(error_code failure, tcp::socket socket) {
  if (failure) {
    pause_.expires_after(accept_pause);
    pause_.async_wait([this](error_code) { accept(); });
    return;
  }
  if (connections_ < config_.connections_max) {
    std::make_shared<session>(*this, std::move(socket))->read();
  } else {
    // A fresh socket takes a few bytes without waiting.
    error_code ignored;
    socket.send(net::buffer(turned_away), 0, ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
  }
  accept();
}

void http_server::impl::serve(http_request request,
                              std::shared_ptr<session> who) {
  std::string allowed;
  if (auto* route = find_route(routes_, request, allowed))
    enqueue(*route, std::move(request), std::move(who));
  else
    who->respond(no_route(request.path, allowed), allowed);
}

void http_server::impl::enqueue(const http_route& route, http_request request,
                                std::shared_ptr<session> who) {
  if (route.waits && waiting_ == config_.waiting_max) {
    who->respond(too_many_wait(request.path));
    return;
  }
  if (route.is_long && std::exchange(has_long_, true)) {
    who->respond(too_long(request.path));
    return;
  }
  waiting_ += route.waits ? 1 : 0;
  auto& lane = route.is_long ? long_lane_
               : route.waits ? patient_lane_
                             : prompt_lane_;
  net::post(lane, [this, &route, request = std::move(request),
                   who = std::move(who)]() mutable {
    auto answer = call(route, request);
    // The session goes along: it must end on the I/O thread.
    net::post(io_, [this, &route, answer = std::move(answer),
                    who = std::move(who)]() mutable {
      waiting_ -= route.waits ? 1 : 0;
      if (route.is_long)
        has_long_ = false;
      who->respond(std::move(answer));
    });
  });
}

// -- the door

std::variant<std::unique_ptr<http_server>, std::string>
http_server::start(http_server_config config, std::vector<http_route> routes) {
  auto server = std::make_unique<impl>(std::move(config), std::move(routes));
  if (auto problem = server->listen())
    return *problem;
  std::unique_ptr<http_server> result{new http_server};
  result->port_ = server->port();
  server->run();
  result->impl_ = std::move(server);
  return result;
}

http_server::~http_server() = default;

void http_server::stop() {
  impl_.reset();
}

} // namespace fantail
