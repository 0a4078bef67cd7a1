// SPDX-License-Identifier: MIT
#define CAF_SUITE chaos.admin_client

#include "chaos/run/admin_client.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail::chaos;

CAF_TEST(an_id_becomes_one_part_of_a_path) {
  CAF_CHECK_EQUAL(admin_client::encoded("routing/shard-3"),
                  "routing%2Fshard-3");
  CAF_CHECK_EQUAL(admin_client::encoded("a-._~Z9"), "a-._~Z9");
  CAF_CHECK_EQUAL(admin_client::encoded("\xff?&=\r\n "),
                  "%FF%3F%26%3D%0D%0A%20");
}

CAF_TEST(nobody_answers_at_a_free_port) {
  admin_client client{admin_client::free_port()};
  CAF_CHECK(!client.get("/ready", std::chrono::seconds{5}));
}
