// SPDX-License-Identifier: MIT
#include "core/inspection/vitals.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace fantail {

size_t vitals::index_of(const std::type_info& what) noexcept {
  // Messages of one kind often come in a row.
  if (kinds_[last_kind_].what.load(std::memory_order_relaxed) == &what)
    return last_kind_;
  for (size_t i = 0; i < kinds_max; ++i) {
    auto* known = kinds_[i].what.load(std::memory_order_relaxed);
    if (!known)
      kinds_[i].what.store(&what, std::memory_order_relaxed);
    if (!known || known == &what)
      return last_kind_ = i;
  }
  return kinds_max;
}

std::string name_of(const std::type_info& what) {
  if (what == typeid(void))
    return "other";
  int status = 0;
  std::unique_ptr<char, decltype(&std::free)> text{
      abi::__cxa_demangle(what.name(), nullptr, nullptr, &status), &std::free};
  std::string_view result = status == 0 ? text.get() : what.name();
  auto colon = result.rfind("::");
  if (colon != std::string_view::npos)
    result.remove_prefix(colon + 2);
  return std::string{result};
}

void vitals::begin(const std::type_info& what, int64_t now_ns) noexcept {
  taken_.add();
  if (auto i = index_of(what); i < kinds_max)
    kinds_[i].count.add();
  else
    others_.add();
  // Whoever sees this type sees that the message before has ended.
  current_.store(&what, std::memory_order_release);
  since_ns_.store(now_ns, std::memory_order_release);
}

void vitals::end(int64_t now_ns) noexcept {
  auto took = now_ns - since_ns_.load(std::memory_order_relaxed);
  handler_.record(took);
  busy_ns_.add(static_cast<uint64_t>(std::max<int64_t>(took, 0)));
  handled_.add();
  since_ns_.store(0, std::memory_order_release);
}

void vitals::emptied() noexcept {
  taken_.set(arrived_.load(std::memory_order_relaxed));
}

vitals::reading vitals::read() const noexcept {
  reading result;
  // The type is that of the moment if the time is the same before and after.
  auto since = since_ns_.load(std::memory_order_acquire);
  auto* what = current_.load(std::memory_order_acquire);
  if (since != 0 && since == since_ns_.load(std::memory_order_acquire)) {
    result.current = what;
    result.current_since_ns = since;
  }
  result.handled = handled_.get();
  result.busy_ns = busy_ns_.get();
  auto taken = taken_.get();
  auto arrived = arrived_.load(std::memory_order_relaxed);
  result.waiting = arrived > taken ? arrived - taken : 0;
  return result;
}

std::vector<std::pair<const std::type_info*, uint64_t>>
vitals::by_kind() const {
  std::vector<std::pair<const std::type_info*, uint64_t>> result;
  for (auto& x : kinds_)
    if (auto* what = x.what.load(std::memory_order_relaxed))
      result.emplace_back(what, x.count.get());
  std::ranges::stable_sort(
      result, [](const auto& a, const auto& b) { return a.second > b.second; });
  if (auto others = others_.get(); others > 0)
    result.emplace_back(nullptr, others);
  return result;
}

} // namespace fantail
