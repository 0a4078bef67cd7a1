#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stranger's client: knows docs/PROTOCOL.md and the NATS wire protocol only.

    plain_client_test.py path/to/fantail

Starts a node of its own and takes the parts of a producer, a presence source
and instances of both formats. Exits with 1 at the first deviation.
"""

import collections
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE = 30

Message = collections.namedtuple('Message', 'subject reply headers body')
Section = collections.namedtuple('Section',
                                 'shard flags epoch first last events')
Event = collections.namedtuple('Event', 'position cls channel headers body')


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def fnv1a(text):
    result = 0x811c9dc5
    for byte in text.encode():
        result = (result ^ byte) * 0x01000193 & 0xffffffff
    return result


class Nats:
    """One connection: text lines, and bodies of announced sizes."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), PATIENCE)
        self.input = self.socket.makefile('rb')
        self.kept = []
        self.count = 0
        check(self.input.readline().startswith(b'INFO '), 'no INFO')
        self.send(b'CONNECT {"verbose":false,"headers":true,'
                  b'"no_responders":true}\r\n')

    def send(self, data):
        self.socket.sendall(data)

    def subscribe(self, subject):
        self.count += 1
        self.send(f'SUB {subject} {self.count}\r\n'.encode())
        self.flush()

    def flush(self):
        """Returns once the server has handled everything sent so far."""
        self.send(b'PING\r\n')
        while (message := self.read()) is not None:
            self.kept.append(message)

    def publish(self, subject, body=b'', reply='', headers=b''):
        words = ' '.join(x for x in (subject, reply) if x)
        total = len(headers) + len(body)
        if headers:
            head = f'HPUB {words} {len(headers)} {total}\r\n'
        else:
            head = f'PUB {words} {total}\r\n'
        self.send(head.encode() + headers + body + b'\r\n')

    def read(self):
        """The next message, or None for a PONG."""
        while True:
            words = self.input.readline().decode().split()
            check(words, 'the connection is closed')
            if words[0] == 'PING':
                self.send(b'PONG\r\n')
            elif words[0] == 'PONG':
                return None
            elif words[0] in ('MSG', 'HMSG'):
                return self.read_body(words)
            else:
                check(words[0] in ('INFO', '+OK'), f'server says {words}')

    def read_body(self, words):
        has_headers = words[0] == 'HMSG'
        reply = words[3] if len(words) == (6 if has_headers else 5) else ''
        data = self.input.read(int(words[-1]))
        check(self.input.read(2) == b'\r\n', 'no end of the message')
        border = int(words[-2]) if has_headers else 0
        return Message(words[1], reply, data[:border], data[border:])

    def next(self, subject):
        """The next message of a subject; others are kept."""
        deadline = time.monotonic() + PATIENCE
        for i, message in enumerate(self.kept):
            if message.subject == subject:
                return self.kept.pop(i)
        while time.monotonic() < deadline:
            message = self.read()
            if message and message.subject == subject:
                return message
            if message:
                self.kept.append(message)
        raise AssertionError(f'nothing on {subject}')

    def inbox(self):
        self.count += 1
        return f'_INBOX.plain.{self.count}'

    def request(self, subject, body=b'', headers=b''):
        inbox = self.inbox()
        self.subscribe(inbox)
        self.publish(subject, body, inbox, headers)
        return self.next(inbox)

    def store(self, subject, body=b'', headers=b''):
        answer = json.loads(self.request(subject, body, headers).body)
        check('error' not in answer, f'not stored: {answer}')
        return answer

    def change(self, subject, **members):
        """A change with reply_to; returns the answer to it."""
        inbox = self.inbox()
        self.subscribe(inbox)
        self.store(subject, json.dumps(members | {'reply_to': inbox}).encode())
        return json.loads(self.next(inbox).body)


def read_frame(data):
    """The sections of a frame, byte for byte."""
    check(data[:4] == b'FNT1', 'no magic')
    count, zero = struct.unpack_from('<HH', data, 4)
    check(zero == 0, 'not zero')
    at, sections = 8, []
    for _ in range(count):
        shard, flags, events, epoch, first, last, size = struct.unpack_from(
            '<HHIQQQI', data, at)
        at += 36
        end, found = at + size, []
        for _ in range(events):
            position, body, head, name, cls = struct.unpack_from(
                '<QIHBB', data, at)
            at += 16
            borders = (at, at + name, at + name + head, at + name + head + body)
            channel, headers, content = (
                data[a:b] for a, b in zip(borders, borders[1:]))
            at = borders[3]
            check(first < position <= last, 'an event outside of its section')
            found.append(Event(position, cls, channel.decode(), headers,
                               content))
        check(at == end, 'event_bytes is wrong')
        check(found == sorted(found, key=lambda x: x.position), 'disorder')
        sections.append(Section(shard, flags, epoch, first, last, found))
    check(at == len(data), 'bytes behind the frame')
    return sections


class Node:
    """The program, with a state directory that vanishes with it."""

    def __init__(self, binary):
        self.directory = tempfile.mkdtemp(prefix='fantail-interop-')
        self.log = os.path.join(self.directory, 'log')
        libc = ctypes.CDLL(None)
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(
                [binary, 'node', '--set', 'http.port=0', '--set',
                 f'node.state-directory={self.directory}/state'],
                stderr=log, cwd=self.directory,
                preexec_fn=lambda: libc.prctl(1, signal.SIGKILL))

    def port(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            text = self.text()
            found = re.search(r'started nats=nats://127.0.0.1:(\d+)', text)
            if found and 'node ready' in text:
                return int(found.group(1))
            time.sleep(0.02)
        raise AssertionError('the node is not ready')

    def text(self):
        with open(self.log, encoding='utf-8', errors='replace') as log:
            return log.read()

    def end(self):
        """Its exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            shutil.rmtree(self.directory, ignore_errors=True)


def check_producer(nats):
    headers = b'NATS/1.0\r\nNats-Msg-Id: m1\r\n\r\n'
    first = nats.store('messages.send.lobby', b'{}', headers)
    check(first['stream'] == f'FANTAIL_IN_{fnv1a("lobby") % 8}', first)
    again = nats.store('messages.send.lobby', b'{}', headers)
    check(again.get('duplicate') and again['seq'] == first['seq'], again)


def check_presence_answers(nats):
    subject = 'presence.update.zoe'
    answer = nats.change(subject, op='online', session='z1', instance='plain',
                         channels=['a', 'b'])
    check(answer['status'] == 'joined' and answer['op'] == 'online', answer)
    check(answer['user'] == 'zoe' and answer['version'] > 0, answer)
    concerned = {str(fnv1a(x) % 8) for x in ('a', 'b')}
    check(concerned <= set(answer['positions']), answer)
    left = nats.change(subject, op='leave', channels=['b'])
    check(left['status'] == 'left', left)
    check(left['version'] > answer['version'], left)
    refused = nats.change(subject, op='join', channels=['a.b'])
    check(refused['status'] == 'rejected', refused)
    check(refused['reason'] == 'illegal_channel' and refused['detail'], refused)
    gone = nats.change(subject, op='offline', session='z1')
    check(gone['status'] == 'left', gone)


# Order, case, spaces, repeats: a stranger's headers are none of our business.
HEADERS = [
    b'',
    b'NATS/1.0\r\nNats-Msg-Id: s1\r\n\r\n',
    b'NATS/1.0\r\nzeta: 1\r\nAlpha: 2\r\nzeta: 3\r\nnats-msg-id:s2\r\n\r\n',
    b'NATS/1.0\r\nX-Space:   wide  \r\nX-Empty:\r\nX-Colon: a:b: c\r\n\r\n',
]
BODIES = [b'', b'{"type":"message.sent"}', bytes(range(256)) * 10,
          b'\r\nMSG x 1 1\r\n', b'x' * 900_000]


def values(headers):
    """Names and values: order and white space are free in `single`."""
    lines = headers.split(b'\r\n')[1:-2]
    pairs = (line.split(b':', 1) for line in lines)
    return sorted((name, value.strip()) for name, value in pairs)


def check_single(nats):
    nats.subscribe('instance.events.plain')
    nats.publish('instance.heartbeat.plain')
    answer = nats.change('presence.update.ada', op='online', session='a1',
                         instance='plain', channels=['general'])
    check(answer['status'] == 'joined', answer)
    # PROTOCOL.md, section 4: no empty header values in events without a body.
    published = [(h, b) for h in HEADERS for b in BODIES
                 if b or b'X-Empty' not in h]
    for i, (headers, body) in enumerate(published):
        nats.store('messages.send.general', body, headers.replace(
            b's1', b's1-%d' % i).replace(b's2', b's2-%d' % i))
    for i, (headers, body) in enumerate(published):
        wanted = headers.replace(b's1', b's1-%d' % i).replace(
            b's2', b's2-%d' % i)
        got = nats.next('instance.events.plain')
        check(got.body == body, f'body {i} differs')
        check(values(got.headers) == values(wanted),
              f'{got.headers} is not {wanted}')
    left = nats.change('presence.update.ada', op='leave', channels=['general'])
    check(left['status'] == 'left', left)
    nats.store('messages.send.general', b'unwanted')
    nats.change('presence.update.ada', op='join', channels=['general'])
    nats.store('messages.send.general', b'wanted')
    check(nats.next('instance.events.plain').body == b'wanted', 'excess')


class FrameInstance:
    """§5 and §6: positions, rules 1 to 5, acknowledgements and ranges."""

    def __init__(self, nats):
        self.nats = nats
        nats.subscribe('instance.events.framed')
        answer = nats.change('instance.register.framed', op='register',
                             format='frame', incarnation='i-1')
        check(answer['status'] == 'registered', answer)
        check(answer['instance'] == 'framed', answer)
        check(answer['incarnation'] == 'i-1', answer)
        check(answer['shards'] == 8 and answer['presence_shards'] == 8, answer)
        check(answer['heartbeat_ms'] > 0 < answer['frame_bytes_max'], answer)
        self.state = {int(k): v for k, v in answer['positions'].items()}
        check(set(self.state) == set(range(8)), answer)
        self.begin = {k: tuple(v) for k, v in self.state.items()}

    def receive(self, count):
        events = []
        while len(events) < count:
            message = self.nats.next('instance.events.framed')
            check(not message.headers, 'a frame with headers')
            for section in read_frame(message.body):
                events += self.take(section)
        return events

    def take(self, x):
        epoch, position = self.state[x.shard]
        if x.epoch < epoch or x.last <= position:
            return []
        check(x.flags == 0, f'flags {x.flags}')
        check(x.first <= position, 'a gap on a healthy connection')
        self.state[x.shard] = [x.epoch, x.last]
        return [e for e in x.events if e.position > position]

    def acknowledge(self):
        body = {'incarnation': 'i-1',
                'positions': {str(k): v[1] for k, v in self.state.items()}}
        self.nats.publish('instance.ack.framed', json.dumps(body).encode())

    def range(self, shard, first, last):
        body = {'incarnation': 'i-1', 'shard': shard, 'from': first, 'to': last}
        return self.nats.request('instance.range.framed',
                                 json.dumps(body).encode()).body


def check_frame(nats):
    instance = FrameInstance(nats)
    nats.change('presence.update.bob', op='online', session='b1',
                instance='framed', channels=['general', 'random'])
    published = []
    for i in range(100):
        channel = ('general', 'random')[i % 2]
        name, cls = (('critical', 0), ('important', 1), ('best-effort', 2),
                     ('nonsense', 0))[i % 4]
        headers = (f'NATS/1.0\r\nNats-Msg-Id: f{i}\r\n'
                   f'Fantail-Class: {name}\r\n\r\n').encode()
        body = b'%d' % i * (i + 1)
        ack = nats.store(f'messages.send.{channel}', body, headers)
        published.append(Event(ack['seq'], cls, channel, headers, body))
    received = instance.receive(100)
    for channel in ('general', 'random'):
        check([x for x in received if x.channel == channel]
              == [x for x in published if x.channel == channel],
              f'{channel} differs')
    instance.acknowledge()
    shard = fnv1a('general') % 8
    wanted = [x for x in published if fnv1a(x.channel) % 8 == shard]
    begin, end = instance.begin[shard][1], instance.state[shard][1]
    check_ranges(instance, shard, begin, end, wanted)


def check_ranges(instance, shard, begin, end, wanted):
    found, at = [], begin
    while at < end:
        section, = read_frame(instance.range(shard, at, end))
        check(section.flags == 2 and section.shard == shard, section)
        check(section.first == at < section.last <= end, section)
        found += section.events
        at = section.last
    check(found == wanted, 'a range differs from what was sent')
    refused = json.loads(instance.range(99, 0, 1))
    check(refused == {'status': 'rejected', 'reason': 'unknown_shard'}, refused)
    refused = json.loads(instance.nats.request('instance.range.framed',
                                               b'{').body)
    check(refused['reason'] == 'malformed', refused)


def check_presence_questions(nats):
    """Section 8: ask, watch, and follow by numbers and versions."""
    def ask(verb, about, name, **members):
        body = json.dumps(members).encode() if members else b''
        return json.loads(nats.request(f'presence.{verb}.{about}.{name}',
                                       body).body)

    inbox = nats.inbox()
    nats.subscribe(inbox)
    opened = ask('watch', 'channel', 'lobby', deliver_to=inbox)
    check(opened['status'] == 'watching' and opened['number'] == 0, opened)
    nats.change('presence.update.zoe', op='online', session='s1',
                instance='plain-1', channels=['lobby'])
    news = json.loads(nats.next(inbox).body)
    check(news['watch'] == opened['watch'] and news['number'] == 1, news)
    check(news['changes'] == [{'user': 'zoe', 'online': True}], news)
    channel = ask('query', 'channel', 'lobby')
    check(channel['online'] == 1 and channel['instances'] == {'plain-1': 1},
          channel)
    check([x['user'] for x in channel['users']] == ['zoe'], channel)
    check(channel['version'] >= news['version'], channel)
    user = ask('query', 'user', 'zoe')
    check(user['online'] and user['sessions']
          == [{'session': 's1', 'instance': 'plain-1'}], user)
    refused = ask('query', 'channel', 'lobby', limit=0)
    check(refused['reason'] == 'wrong_type', refused)
    ended = ask('watch', 'channel', 'lobby', deliver_to=inbox, op='end')
    check(ended['status'] == 'ended', ended)


def check_dead_letters(nats):
    nats.subscribe('fantail.dead.>')
    ack = nats.store('fantail.in.3.bad$name', b'content')
    letter = nats.next('fantail.dead.chat')
    check(letter.body == b'content', letter)
    for line in (b'Fantail-Reason: illegal_channel',
                 b'Fantail-Subject: fantail.in.3.bad$name',
                 b'Fantail-Position: %d' % ack['seq']):
        check(line + b'\r\n' in letter.headers, letter)


def main():
    node = Node(os.path.abspath(sys.argv[1]))
    try:
        port = node.port()
        for part in (check_producer, check_presence_answers, check_single,
                     check_frame, check_dead_letters,
                     check_presence_questions):
            part(Nats(port))
            print(f'{part.__name__}: good')
    except (AssertionError, OSError, KeyError, ValueError, struct.error) as x:
        print(f'{type(x).__name__}: {x}\n{node.text()}')
        return 1
    finally:
        code = node.end()
    print(f'exit code of the node: {code}')
    return 0 if code == 0 else 1


if __name__ == '__main__':
    sys.exit(main())
