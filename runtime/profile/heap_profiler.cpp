// SPDX-License-Identifier: MIT
#include "runtime/profile/heap_profiler.hpp"

#include "runtime/profile/profile_file.hpp"

#include <malloc.h>

extern "C" {

/// jemalloc's, if it is there.
__attribute__((weak)) int mallctl(const char* name, void* old_value,
                                  size_t* old_size, void* new_value,
                                  size_t new_size);

/// Read by jemalloc before main. What is free goes back to the system within
/// a second, by a thread of jemalloc's own.
const char* malloc_conf = "prof:true,prof_active:true,lg_prof_sample:19,"
                          "background_thread:true,dirty_decay_ms:1000,"
                          "muzzy_decay_ms:0";
}

namespace fantail {

profile take_heap_profile() {
  profile_file file;
  auto* path = file.path().c_str();
  if (mallctl == nullptr || !file.is_open()
      || mallctl("prof.dump", nullptr, nullptr, &path, sizeof path) != 0)
    return {profile::outcome::unavailable,
            "this program runs without jemalloc, or without its profiler"};
  return {profile::outcome::taken, file.content()};
}

void give_back_free_memory() {
  // 4096 stands for all arenas (MALLCTL_ARENAS_ALL).
  if (mallctl != nullptr)
    mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);
  else
    ::malloc_trim(0);
}

} // namespace fantail
