// SPDX-License-Identifier: MIT
#define CAF_SUITE core.subject

#include "core/subject.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

CAF_TEST(a_token_has_letters_digits_underscores_and_hyphens) {
  for (auto* good : {"a", "Z", "0", "_", "-", "notif-001", "A_b-9"})
    CAF_CHECK_EQUAL(is_token(good) ? "" : good, "");
  int accepted = 0;
  for (int c = 0; c < 256; ++c) {
    auto byte = static_cast<char>(c);
    accepted += is_token({&byte, 1});
  }
  CAF_CHECK_EQUAL(accepted, 26 + 26 + 10 + 2);
}

CAF_TEST(nothing_else_is_a_token) {
  for (auto* bad : {"", ".", "a.b", "a b", " a", "a ", "*", ">", "a*", "a\tb",
                    "a\r\nPUB x 0\r\n", "a\n", "\xc3\xa9", "a/b", "$JS"})
    CAF_CHECK_EQUAL(is_token(bad) ? bad : "", "");
  CAF_CHECK(!is_token(std::string_view{"a\0b", 3}));
}

CAF_TEST(a_token_has_at_most_128_bytes) {
  CAF_CHECK(is_token(std::string(128, 'x')));
  CAF_CHECK(!is_token(std::string(129, 'x')));
}

CAF_TEST(an_inbox_is_a_reply_subject) {
  for (auto* good : {"_INBOX.a", "_INBOX.k3.2", "_INBOX.A.r.12"})
    CAF_CHECK_EQUAL(is_reply_subject(good) ? "" : good, "");
}

CAF_TEST(nothing_else_is_a_reply_subject) {
  for (auto* bad :
       {"", "_INBOX", "_INBOX.", "_INBOX..a", "_INBOX.a.", "_INBOX.a..b",
        "_INBOX.*", "_INBOX.>", "_INBOX.a b", "_INBOX.a\r\nPUB b 0\r\n",
        "_inbox.a", "X_INBOX.a", "messages.send.general",
        "$JS.API.STREAM.DELETE.FANTAIL_IN_0", "fantail.in.0.general"})
    CAF_CHECK_EQUAL(is_reply_subject(bad) ? bad : "", "");
}

CAF_TEST(a_reply_subject_has_at_most_256_bytes) {
  auto with_size = [](size_t size) {
    std::string result = "_INBOX";
    while (result.size() + 100 < size)
      result += "." + std::string(99, 'x');
    return result + "." + std::string(size - result.size() - 1, 'x');
  };
  CAF_CHECK_EQUAL(with_size(256).size(), 256u);
  CAF_CHECK(is_reply_subject(with_size(256)));
  CAF_CHECK(!is_reply_subject(with_size(257)));
}

CAF_TEST(subjects_are_built_and_taken_apart) {
  CAF_CHECK_EQUAL(last_token("instance.ack.notif-001"), "notif-001");
  CAF_CHECK_EQUAL(last_token("alone"), "alone");
  CAF_CHECK_EQUAL(last_token("ends."), "");
  CAF_CHECK_EQUAL(subjects::shard_stream(7), "FANTAIL_IN_7");
  CAF_CHECK_EQUAL(subjects::shard_prefix(7), "fantail.in.7.");
  CAF_CHECK_EQUAL(subjects::presence_stream(0), "FANTAIL_PRESENCE_0");
  CAF_CHECK_EQUAL(subjects::presence_prefix(12), "fantail.presence.12.");
  CAF_CHECK_EQUAL(subjects::of_instance(subjects::instance_events, "n1"),
                  "instance.events.n1");
}
