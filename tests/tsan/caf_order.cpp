// SPDX-License-Identifier: MIT
// Tells the thread sanitizer in which order CAF does things.
//
// libcaf_core is not compiled with -fsanitize=thread: its mailboxes and
// reference counts are atomics that the sanitizer does not see, so that every
// message looks like a race. These functions stand in front of those of the
// library (the dynamic linker prefers the program's) and announce what CAF
// promises:
// - what happened before a message was sent, or an actor launched, happened
//   before the actor handles any later message;
// - an actor handles one message after the other, on whatever thread;
// - what was done with a counted object was done before it is destroyed.
// So all code of ours keeps being checked, that of actors included.

#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstddef>

namespace {

/// The library's function behind the one of that name here.
template <class Function>
Function* behind(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// Done with `x` before whoever acquires it next.
void release(const void* x) {
  __tsan_release(const_cast<void*>(x));
}

void acquire(const void* x) {
  __tsan_acquire(const_cast<void*>(x));
}

} // namespace

// Their mangled names, and plain pointers: a std::unique_ptr argument is passed
// by its address. Libraries call some of them before this file is initialised,
// so the real ones are looked up at the first call.

// scheduled_actor::enqueue
#define MANGLED_ENQUEUE                                                        \
  "_ZN3caf15scheduled_actor7enqueueESt10unique_ptrI"                           \
  "NS_15mailbox_elementENS_6detail8disposerEEPNS_14"                           \
  "execution_unitE"
extern "C" void caf_enqueue(void* self, void* element,
                            void* host) asm(MANGLED_ENQUEUE);

void caf_enqueue(void* self, void* element, void* host) {
  static auto* const real = behind(&caf_enqueue, MANGLED_ENQUEUE);
  release(self);
  real(self, element, host);
}

// scheduled_actor::launch
#define MANGLED_LAUNCH                                                         \
  "_ZN3caf15scheduled_actor6launchEPNS_14execution_"                           \
  "unitEbb"
extern "C" void caf_launch(void* self, void* host, bool is_lazy,
                           bool is_hidden) asm(MANGLED_LAUNCH);

void caf_launch(void* self, void* host, bool is_lazy, bool is_hidden) {
  static auto* const real = behind(&caf_launch, MANGLED_LAUNCH);
  release(self);
  real(self, host, is_lazy, is_hidden);
}

// scheduled_actor::activate: runs what makes the behaviour.
#define MANGLED_ACTIVATE                                                       \
  "_ZN3caf15scheduled_actor8activateEPNS_14executio"                           \
  "n_unitE"
extern "C" bool caf_activate(void* self, void* host) asm(MANGLED_ACTIVATE);

bool caf_activate(void* self, void* host) {
  static auto* const real = behind(&caf_activate, MANGLED_ACTIVATE);
  acquire(self);
  auto result = real(self, host);
  release(self);
  return result;
}

// scheduled_actor::reactivate: handles one message.
#define MANGLED_REACTIVATE                                                     \
  "_ZN3caf15scheduled_actor10reactivateERNS_15mailb"                           \
  "ox_elementE"
extern "C" int caf_reactivate(void* self,
                              void* element) asm(MANGLED_REACTIVATE);

int caf_reactivate(void* self, void* element) {
  static auto* const real = behind(&caf_reactivate, MANGLED_REACTIVATE);
  acquire(self);
  auto result = real(self, element);
  release(self);
  return result;
}

// intrusive_ptr_release(actor_control_block*)
#define MANGLED_RELEASE_ACTOR                                                  \
  "_ZN3caf21intrusive_ptr_releaseEPNS_19actor_contr"                           \
  "ol_blockE"
extern "C" void caf_release_actor(void* block) asm(MANGLED_RELEASE_ACTOR);

void caf_release_actor(void* block) {
  static auto* const real = behind(&caf_release_actor, MANGLED_RELEASE_ACTOR);
  release(block);
  acquire(block);
  real(block);
}

// intrusive_ptr_release_weak(actor_control_block*): the last one frees what the
// last strong one destroyed.
#define MANGLED_RELEASE_WEAK                                                   \
  "_ZN3caf26intrusive_ptr_release_weakEPNS_19actor_"                           \
  "control_blockE"
extern "C" void caf_release_weak(void* block) asm(MANGLED_RELEASE_WEAK);

void caf_release_weak(void* block) {
  static auto* const real = behind(&caf_release_weak, MANGLED_RELEASE_WEAK);
  release(block);
  acquire(block);
  real(block);
}

// ref_counted::deref, of messages for one
#define MANGLED_DEREF "_ZNK3caf11ref_counted5derefEv"
extern "C" void caf_deref(const void* self) asm(MANGLED_DEREF);

void caf_deref(const void* self) {
  static auto* const real = behind(&caf_deref, MANGLED_DEREF);
  release(self);
  acquire(self);
  real(self);
}
