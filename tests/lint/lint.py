#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the rules of this repository that a compiler cannot check.

    lint.py [root]

Prints `file:line: reason` for every violation and exits with 1 if there is
one. Each rule is a function that takes a source file and yields (line, reason).
"""

import os
import re
import sys
from dataclasses import dataclass

FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 80

# Folder -> the folders it may include besides itself (docs: leftward only).
MAY_INCLUDE = {
    'core': set(),
    'cluster': {'core'},
    'messages': {'core', 'cluster'},
    'actors': {'core', 'cluster', 'messages'},
    'runtime': {'core'},
    'api': {'core', 'cluster', 'messages', 'runtime'},
    'console': set(),
    'client': {'core', 'runtime'},
    'bench': {'core', 'runtime', 'client'},
    'chaos': {'core', 'runtime', 'client'},
    'app': {'core', 'cluster', 'messages', 'actors', 'runtime', 'api',
            'console', 'client', 'bench', 'chaos'},
}
MAY_INCLUDE['tests'] = set(MAY_INCLUDE)

# The console speaks HTTP like anybody else and shares no type with the node;
# it only reads the same JSON.
MAY_INCLUDE_FILE = {'console': {'core/json.hpp'}}

# A judge shares nothing with the accused.
ROUTER = re.compile(r'core/(routing|presence|delivery|ingest|snapshot)/')

# Foreign headers, and the files that wrap them.
WRAPPERS = [
    (r'nats/', r'runtime/nats/[^/]*\.cpp|bench/floor\.cpp'),
    (r'boost/json', r'core/json\.cpp'),
    (r'boost/(beast|asio)',
     r'runtime/http/[^/]*\.cpp|console/http_client\.cpp'),
    (r'prometheus/', r'runtime/metrics/[^/]*\.cpp'),
    (r'spdlog/', r'runtime/boot/logging\.cpp'),
    (r'gperftools/', r'runtime/profile/cpu_profiler\.cpp'),
    (r'histedit\.h', r'console/line_editor\.cpp'),
    (r'CLI/', r'app/.*'),
    (r'caf/', r'(messages|actors|api|app|tests)/.*'
              r'|runtime/boot/node_config\.cpp'),
]
# One file wraps each of these; a benchmark's own use does not count.
ONE_WRAPPER = [r'nats/', r'boost/(beast|asio)', r'prometheus/']

# What CAF 0.17.6 offers and must not be used, with the reason.
TIMERS = 'CAF timers can lock up their own thread; use tick{now}'
BANNED = [
    (r'\b(delayed_send|delayed_anon_send|scheduled_send)\b', TIMERS),
    (r'\bcaf::(stream|stream_manager|outbound_stream_slot)\b|\battach_stream_',
     'CAF streams are not maintained'),
    (r'\bcaf::group\b|\bsys(tem)?\(?\)?\.groups\(|\bjoin_group\b',
     'groups route through one broker and kill senders'),
    (r'\bactor_pool\b', 'a pool never replaces its dead workers'),
    (r'\bfunction_view\b|\bmake_function_view\b',
     'a function_view waits for ever'),
    (r'\bregistry\(\)\s*\.\s*put\b',
     'the registry keeps the old actor when a name is put again'),
]
ACTOR_FOLDERS = ('actors', 'api', 'app')
REQUEST = re.compile(r'\b(?:self_?|ptr|this)\s*->\s*request\s*\(')
RECEIVE_TIMEOUT = re.compile(r'(?<![\w.>:])(?:caf::)?after\s*\(')

# Machines are handed everything: these would let the world in.
PURE_FOLDERS = ('core', 'cluster')
IMPURE = [
    (r'#\s*include\s*<(thread|fstream|iostream|random|future|filesystem'
     r'|condition_variable|sys/.*|unistd\.h|netinet/.*|pthread\.h)>',
     'a machine has no threads, files, sockets or randomness of its own'),
    (r'\b(steady|system|high_resolution)_clock::now\b',
     'a machine is handed its time'),
    (r'\b(getenv|std::rand|random_device)\b',
     'a machine is handed what it needs'),
]

NAMES_BANNED = {'utils', 'util', 'helpers', 'helper', 'common', 'types',
                'manager', 'impl', 'misc'}

# Put together so that this file does not violate its own rules.
MARKERS = re.compile(r'\b(' + 'TO' + 'DO|FIX' + 'ME|XX' + r'X)\b')
MACHINE_PATH = re.compile(r'(?<![\w.:/-])/(?:' + 'wo' + 'rk|tm' + 'p|ro'
                          + r'ot|home/\w+|Users/\w+)(?![\w.-])')

TEXT = ('.hpp', '.cpp', '.py', '.sh', '.cmake', '.txt', '.md', '.json',
        '.conf', '.yml', '.yaml', '.html', '.js', '.css', '.supp')
CODE = ('.hpp', '.cpp')
SKIPPED = {'.git', 'build', 'node_modules', 'fantail-state', '__pycache__'}


@dataclass
class Source:
    path: str  # from the root, with slashes
    text: str

    def __post_init__(self):
        self.lines = self.text.split('\n')
        self.folder = self.path.split('/')[0]
        self.is_code = self.path.endswith(CODE)
        self.code = blank_out(self.text) if self.is_code else ''
        self.code_lines = self.code.split('\n')

    def line_at(self, offset):
        return self.text.count('\n', 0, offset) + 1


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^\s()\\]{0,16})\(.*?\)(?P=d)"'
                   r'|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'',
                   re.DOTALL)
PATH_IN_QUOTES = re.compile(r'#\s*include\s*$')


def blank_out(text):
    """The code without comments and texts; every line stays where it is."""
    def blank(match):
        start = text.rfind('\n', 0, match.start()) + 1
        if PATH_IN_QUOTES.match(text[start:match.start()]):
            return match.group(0)
        return re.sub(r'[^\n]', ' ', match.group(0))
    return TOKEN.sub(blank, text)


def includes(source):
    pattern = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')
    for number, line in enumerate(source.code_lines, 1):
        if match := pattern.match(line):
            yield number, match.group(1)


def check_include_direction(source):
    allowed = MAY_INCLUDE.get(source.folder)
    if allowed is None:
        return
    for number, header in includes(source):
        if source.folder == 'chaos' and ROUTER.match(header):
            yield number, 'chaos/ shares no code with the router'
        folder = header.split('/')[0]
        if folder not in MAY_INCLUDE or folder == source.folder:
            continue
        if header in MAY_INCLUDE_FILE.get(source.folder, ()):
            continue
        if folder not in allowed:
            yield number, f'{source.folder}/ must not include {folder}/'


def check_foreign_headers(source):
    for number, header in includes(source):
        for pattern, wrapper in WRAPPERS:
            if re.match(pattern, header) and not re.fullmatch(wrapper,
                                                              source.path):
                yield number, f'<{header}> belongs into its wrapper only'


def check_one_wrapper(sources):
    for pattern in ONE_WRAPPER:
        users = [(s, n) for s in sources for n, h in includes(s)
                 if re.match(pattern, h) and s.folder == 'runtime']
        for source, number in users:
            if source.path != users[0][0].path:
                yield source, number, f'{users[0][0].path} wraps this already'


def check_caf(source):
    if source.folder == 'tests':
        return
    for number, line in enumerate(source.code_lines, 1):
        for pattern, reason in BANNED:
            if re.search(pattern, line):
                yield number, reason
    if source.folder not in ACTOR_FOLDERS:
        return
    for match in RECEIVE_TIMEOUT.finditer(source.code):
        yield source.line_at(match.start()), TIMERS
    for match in REQUEST.finditer(source.code):
        if timeout_of(source.code, match.end()) not in ('caf::infinite',
                                                        'infinite'):
            yield (source.line_at(match.start()),
                   'a request has no CAF timeout; keep its deadline in a table')


def timeout_of(code, at):
    """The second argument of a call whose first one begins at `at`."""
    depth, start = 0, None
    for i in range(at, len(code)):
        c = code[i]
        if c in '([{':
            depth += 1
        elif c in ')]}':
            if depth == 0:
                return code[start:i].strip() if start else ''
            depth -= 1
        elif c == ',' and depth == 0:
            if start:
                return code[start:i].strip()
            start = i + 1
    return ''


def check_purity(source):
    if source.folder not in PURE_FOLDERS:
        return
    for number, line in enumerate(source.code_lines, 1):
        for pattern, reason in IMPURE:
            if re.search(pattern, line):
                yield number, reason


def check_lengths(source):
    count = len(source.lines) - (source.lines[-1] == '')
    limit = TEST_FILE_LINES_MAX if source.folder == 'tests' else FILE_LINES_MAX
    if count > limit:
        yield count, f'{count} lines; a file has at most {limit}'
    for number, line in enumerate(source.lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f'{len(line)} columns; a line has {COLUMNS_MAX}'
    for first, last in functions(source.code):
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield first, (f'{last - first + 1} lines; a function has at most '
                          f'{FUNCTION_LINES_MAX}')


NO_FUNCTION = re.compile(r'^\s*(template\s*<.*>\s*)?(inline\s+|static\s+)*'
                         r'(namespace|class|struct|enum|union|extern)\b'
                         r'|=\s*$')


def functions(code):
    """(first line, last line) of every outermost function, by its braces.

    Macros like CAF_TEST(name) { } count as functions, lambdas as parts of
    theirs. A heuristic: it knows no grammar, and needs none for this style.
    """
    line, head, head_line = 1, '', 1
    stack = []  # per open brace: first line of a function or None, head before
    for c in code:
        if c == '\n':
            line += 1
            # Nothing above a blank line belongs to a function.
            if head.endswith('\n'):
                head = ''
        if c == '{':
            inside = any(first is not None for first, _ in stack)
            starts = ('(' in head and not NO_FUNCTION.search(head)
                      and not inside)
            # member_{value}, in front of a constructor's body
            is_value = re.search(r'[\w>]$', head)
            stack.append((head_line if starts and not is_value else None,
                          head if is_value else ''))
            head = ''
        elif c == '}':
            first, head = stack.pop() if stack else (None, '')
            if first is not None:
                yield first, line
        elif c == ';':
            head = ''
        else:
            if not head.strip():
                head_line = line
            if c != ' ' or not head.endswith('\n'):
                head += c


def check_text(source):
    for number, line in enumerate(source.lines, 1):
        if MARKERS.search(line):
            yield number, 'open work belongs into an issue, not into a file'
        if MACHINE_PATH.search(line):
            yield number, 'a path of one machine'
        if line != line.rstrip() and not source.path.endswith('.md'):
            yield number, 'white space at the end of the line'


def check_name(source):
    parts = source.path.split('/')
    for name in parts[:-1] + [parts[-1].split('.')[0]]:
        if name in NAMES_BANNED:
            yield 1, f'"{name}" says nothing about what is inside'


def check_head(source):
    if source.lines[0] != '// SPDX-License-Identifier: MIT':
        yield 1, 'the first line names the licence (SPDX)'
    if source.path.endswith('.hpp') and '#pragma once' not in source.text:
        yield 1, '#pragma once is missing'


def check_own_header(sources):
    """A source file begins with its own header: so every build shows that the
    header needs nothing in front of it."""
    paths = {x.path for x in sources}
    for source in sources:
        own = source.path[:-len('.cpp')] + '.hpp'
        if not source.path.endswith('.cpp') or own not in paths:
            continue
        first = next(includes(source), (1, ''))
        if first[1] != own:
            yield source, first[0], 'the first include is the own header'


def check_test(source):
    """Every test file is one suite whose name CTest finds by its file."""
    if source.folder != 'tests':
        return
    suites = re.findall(r'^#define CAF_SUITE (\S+)$', source.text, re.M)
    is_test = source.path.endswith('_test.cpp')
    if suites and not is_test:
        yield 1, 'a file with a suite is called *_test.cpp'
    if not is_test:
        return
    if len(suites) != 1:
        yield 1, 'a test file has one line "#define CAF_SUITE name"'
        return
    folder, stem = source.path.split('/')[1], source.path.split('/')[-1]
    parts = suites[0].split('.')
    if parts[0] != folder or parts[-1] != stem[:-len('_test.cpp')]:
        yield 1, f'the suite {suites[0]} is not named after its file'
    if not re.search(r'^CAF_TEST(_DISABLED)?\(', source.text, re.M):
        yield 1, 'a test file without a test'


def check_suites_differ(sources):
    seen = {}
    for source in sources:
        for suite in re.findall(r'^#define CAF_SUITE (\S+)$', source.text,
                                re.M):
            if suite in seen:
                yield source, 1, f'{seen[suite]} has the suite {suite}, too'
            seen[suite] = source.path


def check_registered(sources, root):
    """tests/CMakeLists.txt compiles every test; a folder it leaves out, or a
    list it falls back to, would silence tests."""
    build = os.path.join(root, 'tests', 'CMakeLists.txt')
    if not os.path.exists(build):
        return
    with open(build, encoding='utf-8') as file:
        text = file.read()
    is_complete = re.search(r'GLOB_RECURSE\s+\w+\s+CONFIGURE_DEPENDS\s+\*\.cpp',
                            text)
    # What only the builds of sanitizers leave out, release still runs.
    everywhere = re.sub(r'^if\(FANTAIL_SANITIZE\)$.*?^endif\(\)$', '', text,
                        flags=re.M | re.S)
    left_out = re.findall(r'EXCLUDE REGEX "([^"]+)"', everywhere)
    for source in sources:
        if not source.path.endswith('_test.cpp') or source.folder != 'tests':
            continue
        is_left_out = any(re.search(x, '/' + source.path) for x in left_out)
        if is_left_out or not (is_complete or source.path[6:] in text):
            yield source, 1, 'this test is not part of the build'


CODE_RULES = [check_include_direction, check_foreign_headers, check_caf,
              check_purity, check_lengths, check_head, check_test]
TEXT_RULES = [check_text, check_name]


def read_sources(root):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(x for x in folders if x not in SKIPPED)
        for name in sorted(files):
            if not name.endswith(TEXT):
                continue
            full = os.path.join(folder, name)
            path = os.path.relpath(full, root).replace(os.sep, '/')
            with open(full, encoding='utf-8', errors='replace') as file:
                yield Source(path, file.read())


def lint(root):
    """All violations below `root`, as (path, line, reason)."""
    sources = list(read_sources(root))
    code = [x for x in sources if x.is_code]
    for source in sources:
        rules = TEXT_RULES + (CODE_RULES if source.is_code else [])
        for rule in rules:
            for number, reason in rule(source):
                yield source.path, number, reason
    for found in (check_one_wrapper(code), check_own_header(code),
                  check_suites_differ(code), check_registered(code, root)):
        for source, number, reason in found:
            yield source.path, number, reason


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else '.'
    violations = sorted(lint(root))
    for path, number, reason in violations:
        print(f'{path}:{number}: {reason}')
    if not violations:
        print('lint: no violations')
    return 1 if violations else 0


if __name__ == '__main__':
    sys.exit(main())
