// Tests that a syslog message is one line of RFC 5424 that its own grammar reads back, whatever stands in its values.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditFacility, ownElement, type SyslogMessage, syslogLine, syslogSeverity } from './syslog.ts';

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

/** RFC 5424 6: header, structured data, text. */
const grammar =
  /^<(\d{1,3})>1 (\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) (-|(?:\[[^ =\]"]{1,32}(?: [^ =\]"]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\])+) \ufeff(.*)$/su;

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

test('whatever stands in its values, a message is one line, and its values and text come back', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'"\\] \n\r\t=[é\u2028a') }),
  );
  const plain = (value: string) => value.replace(/[\p{Cc}\u2028\u2029]/gu, ' ');
  fc.assert(
    fc.property(text, text, text, text, (hostname, process, value, message) => {
      const data = [{ id: 'a@1', params: [['b', value]] as const }];
      const line = syslogLine({ ...sample, hostname, process, data, message });
      assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u);
      const read = grammar.exec(line) ?? assert.fail(line);
      const [, found = ''] = /b="((?:[^"\\\]]|\\.)*)"/su.exec(read[7] ?? '') ?? [];
      assert.equal(found.replace(/\\(.)/gsu, '$1'), plain(value));
      assert.equal(read[8], plain(message));
    }),
  );
});
