// SPDX-License-Identifier: MIT
#include "console/http_client.hpp"

// The thread sanitizer does not know fences, and GCC warns of each.
#ifdef __SANITIZE_THREAD__
#  define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <utility>

namespace fantail::console {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;
using net::ip::tcp;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

constexpr size_t body_bytes_max = 64 * 1024 * 1024;

/// How long a wait goes on before somebody looks whether the user had enough.
constexpr auto patience_of_user = 50ms;

/// An endless answer sends something at least this often, a comment if
/// nothing else; behind that its connection is taken for dead.
constexpr auto silence_max = 60s;

failure describe(error_code why, bool is_connected) {
  if (why == net::error::connection_refused)
    return {trouble::unreachable, "connection refused"};
  if (why == net::error::host_not_found
      || why == net::error::host_not_found_try_again)
    return {trouble::unreachable, "there is no such host"};
  if (why == http::error::body_limit)
    return {trouble::broken, "the answer is too large"};
  if (why == http::error::end_of_stream || why == http::error::partial_message
      || why == net::error::connection_reset || why == net::error::eof
      || why == net::error::broken_pipe)
    return {trouble::broken, "the connection was closed before the answer"};
  if (is_connected
      && why.category() == error_code{http::error::bad_target}.category())
    return {trouble::broken, "what answers there does not speak HTTP"};
  return {is_connected ? trouble::broken : trouble::unreachable, why.message()};
}

std::string text_of(std::chrono::milliseconds x) {
  return x.count() % 1000 == 0 ? std::to_string(x.count() / 1000) + " s"
                               : std::to_string(x.count()) + " ms";
}

} // namespace

/// One request on a connection of its own. After a failure it is only good for
/// being destroyed, which drops what is under way.
class http_client::conversation {
public:
  conversation(const address& at, const options& how)
      : at_(at), how_(how), stream_(io_) {}

  std::optional<failure> connect() {
    tcp::resolver resolver{io_};
    error_code why;
    bool is_done = false;
    tcp::resolver::results_type found;
    resolver.async_resolve(at_.host, std::to_string(at_.port),
                           [&](error_code x, auto results) {
                             why = x;
                             found = std::move(results);
                             is_done = true;
                           });
    auto until = steady::now() + how_.timeout;
    if (auto problem = wait(is_done, until))
      return problem;
    if (why)
      return describe(why, false);
    is_done = false;
    stream_.async_connect(found, [&](error_code x, const tcp::endpoint&) {
      why = x;
      is_done = true;
    });
    if (auto problem = wait(is_done, until)) {
      if (problem->kind == trouble::silent)
        problem->kind = trouble::unreachable;
      return problem;
    }
    if (why)
      return describe(why, false);
    return std::nullopt;
  }

  std::optional<failure> write(std::string_view method, std::string_view target,
                               std::string_view body) {
    http::request<http::string_body> request;
    request.method_string({method.data(), method.size()});
    request.target({target.data(), target.size()});
    request.version(11);
    request.set(http::field::host, at_.url().substr(7));
    request.set(http::field::user_agent, "fantail-console");
    request.set(http::field::connection, "close");
    request.set(http::field::accept, "application/json, text/event-stream");
    if (!how_.token.empty())
      request.set(http::field::authorization, "Bearer " + how_.token);
    if (method != "GET") {
      request.set(http::field::content_type, "application/json");
      request.body() = std::string{body};
      request.prepare_payload();
    }
    error_code why;
    bool is_done = false;
    http::async_write(stream_, request, [&](error_code x, size_t) {
      why = x;
      is_done = true;
    });
    if (auto problem = wait(is_done, steady::now() + how_.timeout))
      return problem;
    if (why)
      return describe(why, true);
    return std::nullopt;
  }

  std::optional<failure> read_header() {
    parser_.body_limit(body_bytes_max);
    parser_.eager(true);
    return read(
        [&](auto handler) {
          http::async_read_header(stream_, buffer_, parser_,
                                  std::move(handler));
        },
        how_.timeout);
  }

  std::optional<failure> read_whole() {
    return read(
        [&](auto handler) {
          http::async_read(stream_, buffer_, parser_, std::move(handler));
        },
        how_.timeout);
  }

  /// What has come since; waits if that is nothing.
  std::optional<failure> read_some() {
    return read(
        [&](auto handler) {
          http::async_read_some(stream_, buffer_, parser_, std::move(handler));
        },
        silence_max);
  }

  void expect_no_end() { parser_.body_limit(boost::none); }
  bool is_whole() const { return parser_.is_done(); }
  unsigned status() const { return parser_.get().result_int(); }
  std::string take_body() { return std::exchange(parser_.get().body(), {}); }

  reply take_reply() {
    auto type = parser_.get()[http::field::content_type];
    return {status(), std::string{type.data(), type.size()}, take_body()};
  }

private:
  template <class Start>
  std::optional<failure> read(Start start, steady::duration timeout) {
    error_code why;
    bool is_done = false;
    start([&](error_code x, size_t) {
      why = x;
      is_done = true;
    });
    if (auto problem = wait(is_done, steady::now() + timeout))
      return problem;
    if (why)
      return describe(why, true);
    return std::nullopt;
  }

  /// Runs what was started until `is_done`.
  std::optional<failure> wait(const bool& is_done, steady::time_point until) {
    while (!is_done) {
      if (how_.is_interrupted())
        return failure{trouble::interrupted, "interrupted"};
      if (steady::now() >= until)
        return failure{trouble::silent,
                       "no answer within " + text_of(how_.timeout)};
      io_.restart();
      io_.run_one_for(patience_of_user);
    }
    return std::nullopt;
  }

  const address& at_;
  const options& how_;
  net::io_context io_{1};
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
};

std::variant<reply, failure> http_client::send(std::string_view method,
                                               std::string_view target,
                                               std::string_view body) {
  conversation talk{at_, how_};
  if (auto problem = talk.connect())
    return *problem;
  if (auto problem = talk.write(method, target, body))
    return *problem;
  if (auto problem = talk.read_header())
    return *problem;
  if (!talk.is_whole())
    if (auto problem = talk.read_whole())
      return *problem;
  return talk.take_reply();
}

std::variant<std::monostate, reply, failure>
http_client::follow(std::string_view method, std::string_view target,
                    std::string_view body,
                    const std::function<bool(std::string_view)>& on_bytes,
                    const std::function<void()>& on_open) {
  conversation talk{at_, how_};
  if (auto problem = talk.connect())
    return *problem;
  if (auto problem = talk.write(method, target, body))
    return *problem;
  if (auto problem = talk.read_header())
    return *problem;
  if (talk.status() != 200) {
    if (!talk.is_whole())
      if (auto problem = talk.read_whole())
        return *problem;
    return talk.take_reply();
  }
  talk.expect_no_end();
  on_open();
  for (;;) {
    auto bytes = talk.take_body();
    if (!bytes.empty() && !on_bytes(bytes))
      return std::monostate{};
    if (talk.is_whole())
      return std::monostate{};
    if (auto problem = talk.read_some())
      return *problem;
  }
}

} // namespace fantail::console
