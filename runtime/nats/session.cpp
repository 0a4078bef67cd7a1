// SPDX-License-Identifier: MIT
#include "runtime/nats/session.hpp"

#include "runtime/nats/write_backlog.hpp"

#include <nats/nats.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace fantail::nats {

namespace {

constexpr int64_t connect_timeout_ms = 2'000;
constexpr int64_t ping_interval_ms = 2'000;
constexpr int pings_out_max = 2;

/// What nats.c holds at most that the socket has not taken, but for one
/// message; more waits in front of it.
constexpr size_t native_bytes_max = 512 * 1024;

/// Set while this thread publishes or writes, so that the callback which asks
/// for a write event knows that a write follows and wakes nobody.
thread_local bool writes_itself = false;

struct write_scope {
  write_scope() { writes_itself = true; }
  ~write_scope() { writes_itself = false; }
};

struct message_deleter {
  void operator()(natsMsg* x) const { natsMsg_Destroy(x); }
};
using message_ptr = std::unique_ptr<natsMsg, message_deleter>;

struct options_deleter {
  void operator()(natsOptions* x) const { natsOptions_Destroy(x); }
};
using options_ptr = std::unique_ptr<natsOptions, options_deleter>;

/// The header block of a received message. nats.c keeps subject, reply,
/// header block and data of a received message in one piece of memory, in
/// this order and each ended by a zero, but offers the headers only as a hash
/// map that it builds with several allocations. The magic word and the empty
/// line at the end prove that the block is what it seems to be; nothing is
/// returned if they are missing.
std::string_view raw_headers(const char* before, const char* data) {
  constexpr std::string_view magic = "NATS/1.0";
  constexpr size_t longest = 1024 * 1024;
  auto* begin = before + std::char_traits<char>::length(before) + 1;
  if (data <= begin)
    return {};
  auto size = static_cast<size_t>(data - begin);
  if (size < magic.size() + 4 || size > longest)
    return {};
  std::string_view block{begin, size};
  if (!block.starts_with(magic))
    return {};
  auto end = block.find("\r\n\r\n");
  return end == std::string_view::npos ? std::string_view{}
                                       : block.substr(0, end + 4);
}

/// The header block written anew from the map. Of a message without data
/// nats.c has looked at the headers itself, which cuts the block to pieces.
/// Valid until the next call on this thread.
std::string_view rebuilt_headers(natsMsg* x) {
  const char** keys = nullptr;
  int key_count = 0;
  if (natsMsgHeader_Keys(x, &keys, &key_count) != NATS_OK)
    return {};
  thread_local std::string block;
  block = "NATS/1.0";
  std::string lines;
  for (int i = 0; i < key_count; ++i) {
    std::string_view key{keys[i]};
    const char** values = nullptr;
    int value_count = 0;
    if (natsMsgHeader_Values(x, keys[i], &values, &value_count) != NATS_OK)
      continue;
    // The library's names for what stands in the first line.
    if (key == "Status")
      block.append(" ").append(values[0]);
    else
      for (int k = 0; k < value_count; ++k)
        lines.append(key).append(": ").append(values[k]).append("\r\n");
    std::free(values);
  }
  std::free(keys);
  block.append("\r\n").append(lines).append("\r\n");
  return block;
}

message view_of(natsMsg* x) {
  message result;
  auto* subject = natsMsg_GetSubject(x);
  auto* reply = natsMsg_GetReply(x);
  auto* data = natsMsg_GetData(x);
  result.subject = subject;
  result.reply = reply ? reply : "";
  result.body = {data, static_cast<size_t>(natsMsg_GetDataLength(x))};
  result.headers = raw_headers(reply ? reply : subject, data);
  if (result.headers.empty() && result.body.empty())
    result.headers = rebuilt_headers(x);
  return result;
}

message_ptr make_message(std::string_view subject, std::string_view reply,
                         std::string_view headers, std::string_view body) {
  natsMsg* raw = nullptr;
  if (natsMsg_Create(&raw, std::string{subject}.c_str(),
                     reply.empty() ? nullptr : std::string{reply}.c_str(),
                     body.data(), static_cast<int>(body.size()))
      != NATS_OK)
    return nullptr;
  message_ptr result{raw};
  auto line_end = headers.find("\r\n");
  while (line_end != std::string_view::npos) {
    headers.remove_prefix(line_end + 2);
    line_end = headers.find("\r\n");
    auto line = headers.substr(0, line_end);
    auto colon = line.find(':');
    if (colon == std::string_view::npos)
      continue;
    auto value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    // The library forgets the line end behind an empty value.
    natsMsgHeader_Add(raw, std::string{line.substr(0, colon)}.c_str(),
                      value.empty() ? " " : std::string{value}.c_str());
  }
  return result;
}

options_ptr make_options(const connect_options& options) {
  natsOptions* raw = nullptr;
  natsOptions_Create(&raw);
  options_ptr result{raw};
  natsOptions_SetURL(raw, options.url.c_str());
  natsOptions_SetName(raw, options.name.c_str());
  // A lost connection is our business: nats.c would deliver in a new life what
  // was published in the old one.
  natsOptions_SetAllowReconnect(raw, false);
  // Else a thread of nats.c's own asks for the write, a millisecond later.
  natsOptions_SetSendAsap(raw, true);
  natsOptions_SetTimeout(raw, connect_timeout_ms);
  natsOptions_SetPingInterval(raw, ping_interval_ms);
  natsOptions_SetMaxPingsOut(raw, pings_out_max);
  if (!options.credentials.empty())
    natsOptions_SetUserCredentialsFromFiles(raw, options.credentials.c_str(),
                                            nullptr);
  if (options.tls.enabled)
    natsOptions_SetSecure(raw, true);
  if (!options.tls.authority.empty())
    natsOptions_LoadCATrustedCertificates(raw, options.tls.authority.c_str());
  if (!options.tls.certificate.empty())
    natsOptions_LoadCertificatesChain(raw, options.tls.certificate.c_str(),
                                      options.tls.key.c_str());
  return result;
}

/// The subscription of the interface is the library's own, by another name.
natsSubscription* native(session::subscription* x) {
  return reinterpret_cast<natsSubscription*>(x);
}

} // namespace

struct session::impl {
  natsConnection* nc = nullptr;
  std::function<void()> wake;
  std::mutex write_mutex;
  /// Taken inside of write_mutex.
  std::mutex backlog_mutex;
  write_backlog backlog;
  std::atomic<int> fd = -1;
  std::atomic<bool> wants_write = false;
  std::atomic<bool> detached = false;

  size_t native_bytes() const {
    auto bytes = natsConnection_Buffered(nc);
    return bytes > 0 ? static_cast<size_t>(bytes) : 0;
  }

  bool publish(const write_backlog::waiting& x) const;

  /// Hands nats.c what it has room for; false if there is nothing to write.
  bool feed() {
    std::lock_guard guard{backlog_mutex};
    while (!backlog.empty() && native_bytes() < native_bytes_max) {
      publish(backlog.front());
      backlog.pop();
    }
    return native_bytes() > 0;
  }

  // The callbacks of nats.c: it holds the connection's lock meanwhile.

  static natsStatus attach(void** user_data, void* context, natsConnection*,
                           natsSock fd) {
    static_cast<impl*>(context)->fd = fd;
    *user_data = context;
    return NATS_OK;
  }

  static natsStatus read_event(void*, bool) { return NATS_OK; }

  static natsStatus write_event(void* user_data, bool add) {
    auto* self = static_cast<impl*>(user_data);
    self->wants_write = add;
    if (add && !writes_itself)
      self->wake();
    return NATS_OK;
  }

  static natsStatus detach(void* user_data) {
    auto* self = static_cast<impl*>(user_data);
    self->fd = -1;
    self->wants_write = false;
    self->detached = true;
    self->wake();
    return NATS_OK;
  }
};

bool session::impl::publish(const write_backlog::waiting& x) const {
  if (!x.headers.empty()) {
    auto msg = make_message(x.subject, x.reply, x.headers, x.body);
    return msg && natsConnection_PublishMsg(nc, msg.get()) == NATS_OK;
  }
  // nats.c wants strings that end in a zero.
  thread_local std::string subject_text, reply_text;
  subject_text = x.subject;
  reply_text = x.reply;
  auto size = static_cast<int>(x.body.size());
  auto status = x.reply.empty()
                    ? natsConnection_Publish(nc, subject_text.c_str(),
                                             x.body.data(), size)
                    : natsConnection_PublishRequest(nc, subject_text.c_str(),
                                                    reply_text.c_str(),
                                                    x.body.data(), size);
  return status == NATS_OK;
}

session::session() : impl_(std::make_unique<impl>()) {
  // nop
}

std::unique_ptr<session> session::open(const connect_options& options,
                                       std::function<void()> wake,
                                       std::string& why) {
  std::unique_ptr<session> result{new session};
  auto& self = *result->impl_;
  self.wake = std::move(wake);
  auto native_options = make_options(options);
  natsOptions_SetEventLoop(native_options.get(), &self, impl::attach,
                           impl::read_event, impl::write_event, impl::detach);
  auto status = natsConnection_Connect(&self.nc, native_options.get());
  if (status == NATS_OK)
    return result;
  self.nc = nullptr;
  why = natsStatus_GetText(status);
  return nullptr;
}

session::~session() {
  if (!impl_->nc)
    return;
  // Closing a healthy connection makes nats.c wait half a second for an answer
  // that only this thread could read.
  if (auto fd = impl_->fd.load(); fd >= 0) {
    ::shutdown(fd, SHUT_RDWR);
    natsConnection_ProcessReadEvent(impl_->nc);
  }
  natsConnection_Destroy(impl_->nc);
}

int session::socket() const noexcept {
  return impl_->fd;
}

bool session::wants_write() const noexcept {
  return impl_->wants_write;
}

bool session::is_closed() const noexcept {
  return impl_->detached || natsConnection_IsClosed(impl_->nc);
}

bool session::publish(std::string_view subject, std::string_view body,
                      std::string_view reply, std::string_view headers) {
  write_scope scope;
  write_backlog::waiting x{subject, body, reply, headers};
  {
    std::lock_guard guard{impl_->backlog_mutex};
    if (!impl_->backlog.empty() || impl_->native_bytes() >= native_bytes_max) {
      impl_->backlog.push(x);
      return !is_closed();
    }
  }
  return impl_->publish(x);
}

void session::write() {
  write_scope scope;
  // nats.c takes a write of nothing for a closed socket, so two threads must
  // not both see the same bytes waiting.
  std::lock_guard guard{impl_->write_mutex};
  while (impl_->feed()) {
    auto before = impl_->native_bytes();
    natsConnection_ProcessWriteEvent(impl_->nc);
    // The socket takes no more now.
    if (auto rest = impl_->native_bytes(); rest > 0 && rest <= before)
      break;
  }
}

size_t session::buffered() const {
  std::lock_guard guard{impl_->backlog_mutex};
  return impl_->native_bytes() + impl_->backlog.byte_count();
}

size_t session::payload_bytes_max() const {
  auto bytes = natsConnection_GetMaxPayload(impl_->nc);
  return bytes > 0 ? static_cast<size_t>(bytes) : 0;
}

void session::read() {
  natsConnection_ProcessReadEvent(impl_->nc);
}

std::string session::last_error() const {
  const char* text = nullptr;
  natsConnection_GetLastError(impl_->nc, &text);
  return text && *text ? text : "the server closed the connection";
}

session::subscription_ptr session::subscribe(const std::string& subject) {
  natsSubscription* result = nullptr;
  if (natsConnection_SubscribeSync(&result, impl_->nc, subject.c_str())
      != NATS_OK)
    return nullptr;
  // The reader bounds what is under way; a limit here would drop messages.
  natsSubscription_SetPendingLimits(result, -1, -1);
  return subscription_ptr{reinterpret_cast<subscription*>(result)};
}

void session::unsubscribe(subscription& x) {
  natsSubscription_Unsubscribe(native(&x));
}

bool session::next(subscription& x,
                   const std::function<void(const message&)>& handler,
                   const std::function<void()>& on_nobody) {
  natsMsg* raw = nullptr;
  auto status = natsSubscription_NextMsg(&raw, native(&x), 0);
  // nats.c keeps the message that says that nobody listens to itself; others
  // may wait behind it.
  if (status == NATS_NO_RESPONDERS) {
    if (on_nobody)
      on_nobody();
    return true;
  }
  if (status != NATS_OK)
    return false;
  message_ptr msg{raw};
  handler(view_of(raw));
  return true;
}

void session::subscription_deleter::operator()(subscription* x) const {
  natsSubscription_Destroy(native(x));
}

} // namespace fantail::nats
