#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The console's commands against a real node, as people and scripts use them.

    console_test.py path/to/fantail

Starts a node of its own; runs the one-shot commands in pipes and on a pseudo
terminal, and the interactive console on one. Exits with 1 at the first
deviation.
"""

import contextlib
import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import termios
import time
import urllib.request

from plain_client_test import PATIENCE, Nats, Node, check, fnv1a

ESCAPE = '\033['
SHARD = 'routing/shard-0'


class Fantail:
    """Runs the program against one node, in an empty directory."""

    def __init__(self, binary, node):
        self.binary = binary
        found = re.search(r'http=(http://127\.0\.0\.1:\d+)', node.text())
        self.url = found.group(1)
        self.directory = os.path.join(node.directory, 'elsewhere')
        os.mkdir(self.directory)
        self.token_file = os.path.join(node.directory, 'state', 'admin.token')

    def environment(self, **more):
        result = {'PATH': os.environ['PATH'], 'HOME': self.directory,
                  'TERM': 'xterm', 'FANTAIL_URL': self.url}
        return result | {k: v for k, v in more.items() if v is not None}

    def run(self, *words, stdin='', **environment):
        return subprocess.run(
            [self.binary, *words], input=stdin, capture_output=True, text=True,
            cwd=self.directory, env=self.environment(**environment),
            timeout=PATIENCE, check=False)

    def good(self, *words, **more):
        """What a command that has to work prints."""
        done = self.run(*words, **more)
        check(done.returncode == 0 and not done.stderr,
              f'{words}: {done.returncode} {done.stdout}{done.stderr}')
        check(ESCAPE not in done.stdout, f'{words}: colours in a pipe')
        return done.stdout

    def bad(self, code, part, *words, **more):
        """A command that has to fail, with that on stderr and nothing else."""
        done = self.run(*words, **more)
        check(done.returncode == code,
              f'{words}: {done.returncode}, not {code}: {done.stderr}')
        check(part in done.stderr and not done.stdout,
              f'{words}: {done.stdout}|{done.stderr}')
        return done.stderr

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as x:
            return x.read().decode()


class Terminal:
    """The program on a pseudo terminal of 100 columns."""

    def __init__(self, fantail, *words, **environment):
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (30, 100))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.text = ''
        self.seen = 0
        self.process = subprocess.Popen(
            [fantail.binary, *words], stdin=slave, stdout=slave, stderr=slave,
            cwd=fantail.directory, env=fantail.environment(**environment),
            start_new_session=True)

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self):
        if not select.select([self.master], [], [], 0.05)[0]:
            return
        with contextlib.suppress(OSError):
            self.text += os.read(self.master, 65536).decode(errors='replace')

    def expect(self, pattern):
        """Waits for it behind what was expected before."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = re.search(pattern, self.text[self.seen:])
            if found:
                self.seen += found.end()
                return found
            self.read()
        raise AssertionError(f'no {pattern!r} in {self.text[self.seen:]!r}')

    def end(self):
        """Waits for the program's end; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read()
        if self.process.poll() is None:
            self.process.kill()
            raise AssertionError(f'does not end: {self.text!r}')
        seen = None
        while seen != self.text:
            seen = self.text
            self.read()
        after = termios.tcgetattr(self.slave)
        check(after[:4] == self.before[:4], 'the terminal is not as before')
        os.close(self.slave)
        os.close(self.master)
        return self.process.returncode


def prepare(port):
    """A user in two channels, and somebody who listens for the instance."""
    nats = Nats(port)
    nats.subscribe('instance.events.plain')
    nats.change('presence.update.zoe', op='online', session='z1',
                instance='plain', channels=['general', 'a'])
    for i in range(20):
        nats.store('messages.send.general', b'{}',
                   f'NATS/1.0\r\nNats-Msg-Id: e{i}\r\n\r\n'.encode())
    return nats


def check_pages(fantail, nats):
    del nats
    wanted = {('status',): 'n1', ('tree',): 'NAME', ('actors',): SHARD,
              ('actors', '--top=queue', '--limit=3'): 'QUEUE',
              ('actor', SHARD): 'settled sequence', ('shards',): 'LAG',
              ('instances',): 'plain', ('instance', 'plain'): 'SERVED BY',
              ('channels', '--top=members'): 'general',
              ('channels', '--top=cost'): 'channels in all',
              ('users', 'show', 'zoe'): 'online',
              ('route', 'explain', 'general'): 'plain',
              ('deadletters',): 'ead letters',
              ('incidents',): 'o actor failed',
              ('diagnose', '--window=1s'): 'latency'}
    for words, part in wanted.items():
        text = fantail.good(*words)
        check(part in text, f'{words}: no {part} in {text}')
        check(json.loads(fantail.good(*words, '--json')), words)
    unchanged = fantail.good('route', 'explain', 'general', '--json')
    check(unchanged == fantail.get('/api/v1/channels/general/route'),
          f'--json is changed: {unchanged}')


def check_troubles(fantail, nats):
    del nats
    fantail.bad(2, 'nonsense', 'nonsense')
    fantail.bad(2, '--limit is a whole number', 'actors', '--limit=0')
    fantail.bad(2, '--top', 'actors', '--top=beauty')
    fantail.bad(2, 'no address of a node', 'status', '--url=ftp://x')
    fantail.bad(2, 'cannot read a token', 'status', '--token-file=absent')
    fantail.bad(1, 'routing/shard-99', 'actor', 'routing/shard-99')
    fantail.bad(1, 'no instance "nobody"', 'instance', 'nobody')
    # Port 1 is nobody's.
    text = fantail.bad(3, 'cannot reach http://127.0.0.1:1: connection refused',
                       'status', FANTAIL_URL='http://127.0.0.1:1')
    check('fantail node' in text, text)
    fantail.bad(3, 'cannot reach', 'events', '--url', '127.0.0.1:1')
    help_text = fantail.good('actors', '--help')
    check('Exit codes' in help_text and '--top' in help_text, help_text)


def check_colours(fantail, nats):
    del nats
    for environment, has_colours in (({}, True), ({'NO_COLOR': '1'}, False),
                                     ({'TERM': 'dumb'}, False)):
        terminal = Terminal(fantail, 'shards', **environment)
        check(terminal.end() == 0, terminal.text)
        check((ESCAPE in terminal.text) == has_colours,
              f'{environment}: {terminal.text!r}')
        widest = max(len(re.sub(r'\033\[[0-9;]*m', '', x))
                     for x in terminal.text.splitlines())
        check(widest <= 100, f'{widest} columns: {terminal.text}')


def check_changes(fantail, nats):
    del nats
    fantail.bad(4, '--token-file', 'kill', SHARD, '--yes')
    fantail.bad(4, '--token-file', 'kill', SHARD, '--yes', FANTAIL_TOKEN='no')
    with open(fantail.token_file, encoding='ascii') as file:
        token = file.read().strip()
    fantail.bad(2, 'confirm with --yes', 'kill', SHARD, FANTAIL_TOKEN=token)
    given = ('--token-file', fantail.token_file)
    text = fantail.good('kill', SHARD, '--dry-run', *given)
    check('nothing was changed' in text, text)
    check('o actor failed' in fantail.good('incidents'), 'it was killed')
    text = fantail.good('kill', SHARD, '--mode=exit', '--yes', *given)
    check('done' in text and 'back after' in text, text)
    found = re.search(SHARD + r' +failed +([\d.]+ (ns|µs|ms|s)) +operator: exit',
                      fantail.good('incidents'))
    check(found, fantail.good('incidents'))
    top = fantail.good('actors', '--top=restarts', '--limit=1')
    check(SHARD in top, top)
    history = fantail.good('actor', SHARD)
    check('killed' in history and 'restarted' in history, history)
    check(json.loads(fantail.good('suspend', SHARD, '--yes', '--json',
                                  FANTAIL_TOKEN=token))['outcome'] == 'done',
          'not suspended')
    check('suspended' in fantail.good('actor', SHARD), 'not suspended')
    findings = json.loads(fantail.good('diagnose', '--window=1s', '--json'))
    check(any(SHARD in line for x in findings['findings']
              for line in x['evidence']), findings)
    fantail.good('resume', SHARD, '--yes', *given)
    check('suspended' not in fantail.good('actors', '--state=suspended')
          .replace('STATE', ''), 'not resumed')


def check_confirmation(fantail, nats):
    del nats
    with open(fantail.token_file, encoding='ascii') as file:
        token = file.read().strip()
    before = json.loads(fantail.good('actor', SHARD, '--json'))['restarts']
    terminal = Terminal(fantail, 'kill', SHARD, FANTAIL_TOKEN=token)
    terminal.expect(r'\[y/N\]')
    terminal.type('n\n')
    check(terminal.end() == 2, terminal.text)
    after = json.loads(fantail.good('actor', SHARD, '--json'))['restarts']
    check(before == after, 'killed although the answer was no')
    terminal = Terminal(fantail, 'kill', SHARD, '--mode=kill',
                        FANTAIL_TOKEN=token)
    terminal.expect(r'\[y/N\]')
    terminal.type('y\n')
    check(terminal.end() == 0, terminal.text)
    after = json.loads(fantail.good('actor', SHARD, '--json'))['restarts']
    check(after == before + 1, f'{before} restarts, then {after}')


def check_streams(fantail, nats):
    text = fantail.good('events', '--since=0', '--for=1s', '--json')
    kinds = [json.loads(line)['kind'] for line in text.splitlines()]
    check('child-failed' in kinds and 'child-restarted' in kinds, kinds)
    check('child-restarted' in fantail.good(
        'events', '--since=0', '--for=1s', '--kind=child-restarted'), 'no kind')
    # Each follows what comes after it has begun, whenever that is.
    count = 0

    def send():
        nonlocal count
        count += 1
        nats.store('messages.send.general', b'{}',
                   f'NATS/1.0\r\nNats-Msg-Id: t{count}\r\n\r\n'.encode())

    hops = trace(fantail, ('channel', 'general'), send)
    check('pulled' in hops and 'written' in hops and 'general #' in hops, hops)
    hops = trace(fantail, ('user', 'amy'), lambda: nats.store(
        'presence.update.amy', b'{"op":"online","session":"a1","instance":'
        b'"plain","channels":["a"]}'))
    check('applied' in hops and 'amy #' in hops, hops)


def trace(fantail, what, happen):
    """What `trace` prints of the first of what happens."""
    process = subprocess.Popen(
        [fantail.binary, 'trace', *what, '--limit=1', '--for=30s'],
        stdout=subprocess.PIPE, text=True, env=fantail.environment(),
        cwd=fantail.directory)
    while process.poll() is None:
        happen()
        time.sleep(0.1)
    return process.stdout.read()


def eventually(holds, what):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        check(time.monotonic() < deadline, what)
        time.sleep(0.05)


def check_runbook(fantail, nats):
    """Lag, who is to blame for it, and the hottest channel."""
    shard = f'routing/shard-{fnv1a("general") % 8}'
    given = ('--token-file', fantail.token_file)

    def lag():
        return json.loads(fantail.good('status', '--json'))['totals']['lag']

    def lag_finding():
        findings = json.loads(fantail.good('diagnose', '--json'))['findings']
        return next(x for x in findings if x['topic'] == 'lag')

    def burst():
        for _ in range(1500):
            nats.publish('messages.send.general', b'{}')
        nats.flush()

    # Nothing is written, so nothing is settled.
    fantail.good('suspend', 'delivery/egress-0', '--yes', *given)
    burst()
    eventually(lambda: lag() > 1000, 'no lag')
    found = lag_finding()
    check(found['verdict'] == 'look' and 'shard' in found['evidence'][0], found)
    check(found['advice'] == 'resume delivery/egress-0', found)
    fantail.good('resume', 'delivery/egress-0', '--yes', *given)
    eventually(lambda: lag() == 0, 'the lag stays')
    fantail.good('suspend', shard, '--yes', *given)
    found = lag_finding()
    check(f'{shard} is suspended' in found['evidence'], found)
    check(found['advice'] == f'resume {shard}', found)
    fantail.good('resume', shard, '--yes', *given)

    def is_hottest():
        burst()
        found = json.loads(fantail.good('channels', '--top=cost', '--json'))
        return found['channels'] and found['channels'][0]['name'] == 'general'

    eventually(is_hottest, 'the hottest channel is not found')


def check_interrupt(fantail, nats):
    del nats
    terminal = Terminal(fantail, 'events')
    terminal.expect('Ctrl-C ends')
    os.killpg(terminal.process.pid, signal.SIGINT)
    check(terminal.end() == 0, terminal.text)


def check_piped_console(fantail, nats):
    del nats
    text = fantail.good('console', stdin='status\n# a comment\nshards\n')
    check('n1' in text and 'LAG' in text, text)
    done = fantail.run('console', stdin='stats\nshards\n')
    check(done.returncode == 2 and 'did you mean "status"' in done.stderr
          and not done.stdout, done)
    done = fantail.run('console', fantail.url, stdin='top\n', FANTAIL_URL=None)
    check(done.returncode == 2 and 'terminal' in done.stderr, done)


def check_prompt(fantail, nats):
    del nats
    state = os.path.join(fantail.directory, 'state-home')
    terminal = Terminal(fantail, 'console', XDG_STATE_HOME=state)
    terminal.expect('n1> ')
    # Tab completes commands and ids.
    terminal.type('sha\t\r')
    terminal.expect('Routing shards')
    terminal.expect('n1> ')
    # The first row opens by its number.
    terminal.type('1\r')
    terminal.expect('settled sequence')
    terminal.expect('n1> ')
    terminal.type('actor routing/sh\t0\r')
    terminal.expect('below routing')
    terminal.expect('n1> ')
    # A line is given up, the console is not.
    terminal.type('never run')
    terminal.expect('never run')
    os.killpg(terminal.process.pid, signal.SIGINT)
    terminal.expect('n1> ')
    # A live view: opens row 1, goes back, and leaves.
    terminal.type('top\r')
    terminal.expect(r'\033\[\?1049h')
    terminal.expect('q leaves')
    terminal.type('1\r')
    terminal.expect('mailbox')
    terminal.type('q')
    terminal.expect('QUEUE')
    terminal.type('q')
    terminal.expect(r'\033\[\?1049l')
    terminal.expect('n1> ')
    # Ctrl-C leaves it as well.
    terminal.type('watch 1 tree\r')
    terminal.expect(r'\033\[\?1049h')
    os.killpg(terminal.process.pid, signal.SIGINT)
    terminal.expect(r'\033\[\?1049l')
    terminal.expect('n1> ')
    terminal.type('\x04')
    check(terminal.end() == 0, terminal.text)
    history = os.path.join(state, 'fantail', 'console_history')
    check(stat.S_IMODE(os.stat(history).st_mode) == 0o600, 'who may read it?')
    with open(history, encoding='utf-8') as file:
        check('shards' in file.read(), 'no history')


def check_end_by_signal(fantail, nats):
    del nats
    terminal = Terminal(fantail, 'console')
    terminal.expect('n1> ')
    terminal.type('top\r')
    terminal.expect('q leaves')
    terminal.process.send_signal(signal.SIGTERM)
    check(terminal.end() == 0, terminal.text)


def main():
    binary = os.path.abspath(sys.argv[1])
    node = Node(binary)
    try:
        port = node.port()
        fantail = Fantail(binary, node)
        nats = prepare(port)
        for part in (check_pages, check_troubles, check_colours, check_changes,
                     check_confirmation, check_streams, check_runbook,
                     check_interrupt, check_piped_console, check_prompt,
                     check_end_by_signal):
            part(fantail, nats)
            print(f'{part.__name__}: good')
    except (AssertionError, OSError, KeyError, ValueError,
            subprocess.TimeoutExpired) as x:
        print(f'{type(x).__name__}: {x}\n{node.text()}')
        return 1
    finally:
        code = node.end()
    print(f'exit code of the node: {code}')
    return 0 if code == 0 else 1


if __name__ == '__main__':
    sys.exit(main())
