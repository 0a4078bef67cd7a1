#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of lint.py: small trees with one fault each, and one without any."""

import os
import tempfile
import unittest

import lint

HEAD = '// SPDX-License-Identifier: MIT\n'


def found(files):
    """The violations in a tree of {path: text}, one string per violation."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, 'w', encoding='utf-8') as file:
                file.write(text)
        return [f'{path}:{line}: {reason}'
                for path, line, reason in sorted(lint.lint(root))]


def code(path, text):
    return found({path: HEAD + text})


class LintTest(unittest.TestCase):

    def assert_one(self, violations, start, part):
        self.assertEqual(len(violations), 1, violations)
        self.assertTrue(violations[0].startswith(start), violations)
        self.assertIn(part, violations[0])

    def test_good_files_pass(self):
        self.assertEqual(found({
            'core/good.hpp': HEAD + '#pragma once\n#include "core/a.hpp"\n',
            'runtime/nats/connection.cpp': HEAD + '#include <nats/nats.h>\n',
            'actors/shell.cpp': HEAD + '#include <caf/all.hpp>\n'
                                'void f() {\n  self->request(x, caf::infinite'
                                ', a, b(1, 2));\n}\n',
            'tests/core/good_test.cpp': HEAD + '#define CAF_SUITE core.good\n'
                                        'CAF_TEST(it_works) {\n}\n',
            'tests/CMakeLists.txt':
                'file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS *.cpp)\n',
        }), [])

    def test_includes_go_left_only(self):
        self.assert_one(code('core/a.cpp', '#include "actors/b.hpp"\n'),
                        'core/a.cpp:2:', 'core/ must not include actors/')
        self.assert_one(code('client/a.cpp', '#include "bench/b.hpp"\n'),
                        'client/a.cpp:2:', 'must not include bench/')
        self.assert_one(code('bench/a.cpp', '# include "app/b.hpp"\n'),
                        'bench/a.cpp:2:', 'must not include app/')
        self.assertEqual(code('app/a.cpp', '#include "bench/b.hpp"\n'), [])
        self.assert_one(code('console/a.cpp', '#include "core/ids.hpp"\n'),
                        'console/a.cpp:2:', 'must not include core/')
        self.assertEqual(code('console/a.cpp', '#include "core/json.hpp"\n'),
                         [])
        self.assertEqual(code('core/a.cpp', '// #include "app/b.hpp"\n'), [])

    def test_chaos_shares_nothing_with_the_router(self):
        for part in 'routing', 'presence', 'delivery':
            self.assert_one(code('chaos/a.cpp', f'#include "core/{part}/b.hpp"\n'),
                            'chaos/a.cpp:2:', 'shares no code')
        self.assertEqual(code('client/a.cpp', '#include "core/delivery/b.hpp"\n'),
                         [])
        self.assertEqual(code('chaos/a.cpp', '#include "core/json.hpp"\n'), [])

    def test_foreign_headers_stay_in_their_wrappers(self):
        for path, header in [('runtime/boot/a.cpp', 'spdlog/spdlog.h'),
                             ('client/a.cpp', 'nats/nats.h'),
                             ('api/a.cpp', 'boost/json.hpp'),
                             ('api/a.cpp', 'boost/beast/core.hpp'),
                             ('actors/a.cpp', 'prometheus/counter.h'),
                             ('console/a.cpp', 'boost/beast/core.hpp'),
                             ('console/a.cpp', 'histedit.h'),
                             ('core/a.cpp', 'caf/all.hpp'),
                             ('runtime/http/a.cpp', 'caf/all.hpp')]:
            self.assert_one(code(path, f'#include <{header}>\n'),
                            f'{path}:2:', 'its wrapper only')

    def test_one_file_wraps_a_library(self):
        text = HEAD + '#include <boost/beast/http.hpp>\n'
        self.assert_one(found({'runtime/http/a.cpp': text,
                               'runtime/http/b.cpp': text}),
                        'runtime/http/b.cpp:2:', 'a.cpp wraps this already')

    def test_a_source_file_begins_with_its_own_header(self):
        header = HEAD + '#pragma once\n'
        for text in ['#include <vector>\n#include "core/a.hpp"\n', '']:
            self.assert_one(found({'core/a.hpp': header,
                                   'core/a.cpp': HEAD + text}),
                            'core/a.cpp:', 'own header')
        self.assertEqual(found({'core/a.hpp': header, 'core/a.cpp':
                                HEAD + '#include "core/a.hpp"\n'}), [])

    def test_what_caf_must_not_be_asked_for(self):
        for text in ['delayed_send(self, 1s, x);', 'actor_pool::make();',
                     'self->delayed_anon_send(x);', 'caf::stream<int> s;',
                     'scheduled_send(a, b, c);', 'make_function_view(x);',
                     'system.registry().put(n, a);', 'caf::group g;',
                     'self->request(a, 5s, b);', 'after(5s) >> f;',
                     'self->request(f(1, 2), std::chrono::seconds(1), b);']:
            with self.subTest(text):
                self.assert_one(
                    code('actors/a.cpp', f'void f() {{\n  {text}\n}}\n'),
                    'actors/a.cpp:3:', '')
        self.assertEqual(code('actors/a.cpp', '// delayed_send locks up\n'
                              'auto x = "delayed_send";\n'), [])
        # A connection's requests have deadlines of their own.
        self.assertEqual(code('runtime/a.cpp',
                              'auto x = link->request(s, 5s, h);\n'), [])

    def test_machines_are_pure(self):
        for text in ['#include <thread>', '#include <sys/socket.h>',
                     'auto t = std::chrono::steady_clock::now();',
                     'std::random_device d;']:
            self.assert_one(code('core/a.cpp', text + '\n'),
                            'core/a.cpp:2:', 'a machine')
        self.assertEqual(code('runtime/a.cpp', '#include <thread>\n'), [])

    def test_long_files_and_lines(self):
        self.assert_one(code('core/a.cpp', 'int x;\n' * 400),
                        'core/a.cpp:401:', 'a file has at most 400')
        self.assertEqual(code('tests/a.cpp', 'int x;\n' * 400), [])
        self.assert_one(code('tests/a.cpp', 'int x;\n' * 600),
                        'tests/a.cpp:601:', 'a file has at most 600')
        self.assert_one(code('core/a.cpp', '// ' + 'x' * 78 + '\n'),
                        'core/a.cpp:2:', '81 columns')

    def test_long_functions(self):
        body = '  x = {1, 2};\n' * 68
        for head in ['void f(int x) {', 'a::a() : b_(1), c_{2} {',
                     'CAF_TEST(something_is_so) {', 'auto f() -> int {']:
            with self.subTest(head):
                text = f'namespace n {{\n\n{head}\n{body}}}\n}}\n'
                self.assertEqual(code('core/a.cpp', text), [])
                text = f'namespace n {{\n\n{head}\n{body}  y();\n}}\n}}\n'
                self.assert_one(code('core/a.cpp', text), 'core/a.cpp:4:',
                                '71 lines; a function has at most 70')

    def test_long_things_that_are_no_functions(self):
        body = '  void f() { g(); }\n' * 100
        for head in ['class a {', 'struct a : b<c(1)> {', 'namespace {',
                     'MACRO()\n\nnamespace {', 'enum class a {']:
            with self.subTest(head):
                self.assertEqual(code('core/a.cpp', f'{head}\n{body}}}\n'), [])

    def test_texts_and_comments_have_no_braces(self):
        text = ('void f() {\n  auto a = "{";\n  auto b = \'{\';\n  // {\n'
                '  /* { */\n  auto c = R"x({ " {)x";\n  auto d = 1\'000;\n}\n')
        self.assertEqual(code('core/a.cpp', text + 'int x;\n' * 100), [])

    def test_open_work_and_machine_paths(self):
        self.assert_one(code('core/a.cpp', '// TO' + 'DO: later\n'),
                        'core/a.cpp:2:', 'open work')
        self.assert_one(found({'docs/a.md': 'see /wo' + 'rk/main/x\n'}),
                        'docs/a.md:1:', 'one machine')
        self.assert_one(found({'docs/a.md': '`/tm' + 'p`\n'}),
                        'docs/a.md:1:', 'one machine')
        self.assertEqual(found({'docs/a.md': 'a framework/work b/tm'
                                'p-x https://h/wo' + 'rk\n'}), [])

    def test_names_that_say_nothing(self):
        for path in ['core/utils.cpp', 'core/common/a.cpp']:
            self.assert_one(code(path, ''), f'{path}:1:', 'says nothing')

    def test_heads(self):
        self.assert_one(found({'core/a.cpp': 'int x;\n'}), 'core/a.cpp:1:',
                        'licence')
        self.assert_one(code('core/a.hpp', 'int x;\n'), 'core/a.hpp:1:',
                        'pragma once')

    def test_tests_are_suites_named_after_their_files(self):
        suite = '#define CAF_SUITE core.a\n'
        case = 'CAF_TEST(x) {\n}\n'
        path = 'tests/core/a_test.cpp'
        self.assertEqual(code(path, suite + case), [])
        self.assert_one(code(path, case), path, 'has one line "#define')
        self.assert_one(code(path, suite), path, 'without a test')
        self.assert_one(code('tests/core/b_test.cpp', suite + case),
                        'tests/core/b_test.cpp', 'not named after')
        self.assert_one(code('tests/core/a.cpp', suite + case),
                        'tests/core/a.cpp', 'is called *_test.cpp')
        self.assert_one(found({path: HEAD + suite + case,
                               'tests/core/x/a_test.cpp': HEAD + suite + case}),
                        'tests/core/x/a_test.cpp', 'has the suite core.a, too')

    def test_every_test_is_built(self):
        test = HEAD + '#define CAF_SUITE lint.a\nCAF_TEST(x) {\n}\n'
        path = 'tests/lint/a_test.cpp'
        glob = 'file(GLOB_RECURSE s CONFIGURE_DEPENDS *.cpp)\n'
        self.assert_one(
            found({path: test, 'tests/CMakeLists.txt': glob
                   + 'list(FILTER s EXCLUDE REGEX "/tests/lint/")\n'}),
            path, 'not part of the build')
        for condition, problems in (('FANTAIL_SANITIZE', 0), ('OTHER', 1)):
            conditional = (f'if({condition})\nlist(FILTER s EXCLUDE REGEX '
                           '"/tests/lint/")\nendif()\n')
            self.assertEqual(
                len(found({path: test,
                           'tests/CMakeLists.txt': glob + conditional})),
                problems)
        self.assert_one(found({path: test, 'tests/CMakeLists.txt': 'b.cpp\n'}),
                        path, 'not part of the build')
        self.assertEqual(found({path: test,
                                'tests/CMakeLists.txt': 'lint/a_test.cpp\n'}),
                         [])


if __name__ == '__main__':
    unittest.main()
