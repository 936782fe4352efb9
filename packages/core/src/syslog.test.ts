// Tests that a syslog message is one line of RFC 5424 that a strict reader reads back, whatever stands in its values.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditFacility, ownElement, type SyslogMessage, syslogLine, syslogSeverity } from './syslog.ts';
import { readSyslog } from './syslog-reader.support.ts';

const sample: SyslogMessage = {
  facility: auditFacility,
  severity: syslogSeverity.informational,
  timestamp: '2026-11-22T03:35:39.123Z',
  hostname: 'n1',
  app: 'countersign',
  process: 'b1',
  kind: 'model_call',
  data: [{ id: ownElement('entry'), params: [['place', '4']] }],
  message: '{"v":1}',
};

const read = (line: string) => readSyslog(new TextEncoder().encode(line));

test('a message is written as RFC 5424 has it', () => {
  assert.equal(
    syslogLine(sample),
    '<110>1 2026-11-22T03:35:39.123Z n1 countersign b1 model_call [entry@32473 place="4"] \ufeff{"v":1}',
  );
  const empty = { ...sample, hostname: '', data: [], kind: 'zwei Wörter' };
  assert.match(syslogLine(empty), /^<110>1 \S+ - countersign b1 zwei_W_rter - \ufeff/);
});

test('a quote, a backslash or a bracket in a value ends neither the value nor its element', () => {
  const data = [{ id: 'a@1', params: [['b', 'c"] [x y="\\']] as const }];
  assert.match(syslogLine({ ...sample, data }), / \[a@1 b="c\\"\\\] \[x y=\\"\\\\"\] /);
});

test('a host is the name or the address of one: some readers refuse a message with anything else there', () => {
  const hostOf = (hostname: string) => read(syslogLine({ ...sample, hostname })).hostname;
  for (const name of ['n1', 'gw-7.example.com', 'a_b', '192.0.2.1', '2001:db8::7', '::1', '::ffff:192.0.2.1'])
    assert.equal(hostOf(name), name);
  assert.deepEqual(['rack:7', 'gw[1]', '[::1]', 'a"b\\]', 'bücher', '\ud83d', ''].map(hostOf), [
    'rack_7',
    'gw_1_',
    '___1_',
    'a_b__',
    'b_cher',
    '_',
    undefined,
  ]);
  assert.equal(hostOf('h'.repeat(300)), 'h'.repeat(255));
});

test('whatever stands in its values, a message is one line that the grammar takes, and they come back', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'"\\] \n\r\t\0=[é\u2028\u202e\ufeffa', '\ud83d') }),
    fc.string({ minLength: 250, maxLength: 400 }),
  );
  const plain = (value: string) => value.toWellFormed().replace(/[\p{Cc}\u2028\u2029]/gu, ' ');
  fc.assert(
    fc.property(text, text, text, text, text, (hostname, app, process, value, message) => {
      const params = [
        ['b', value],
        ['c', ''],
      ] as const;
      const line = syslogLine({ ...sample, hostname, app, process, data: [{ id: 'a@1', params }], message });
      assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u);
      const found = read(line);
      assert.deepEqual(found.data, [{ id: 'a@1', params: [['b', plain(value)], params[1]] }]);
      assert.deepEqual([found.text, found.isMarked], [plain(message), true]);
      assert.deepEqual([found.facility, found.severity], [13, 6]);
    }),
  );
});
