// Tests that the strict reader of syslog takes what RFC 5424 shows as valid, and refuses whatever breaks one rule.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFrames, readSyslog } from './syslog-reader.support.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) => readSyslog(bytes(text));
const withData = (data: string): string => `<165>1 - - - - - ${data} x`;

test('the examples of section 6.5 are read', () => {
  const [su, custom, event] = [
    "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed for lonvick on /dev/pts/8",
    "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
    '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"][examplePriority@32473 class="high"]',
  ].map(read);
  assert.deepEqual([su?.facility, su?.severity, su?.kind, su?.isMarked], [4, 2, 'ID47', true]);
  assert.deepEqual([custom?.process, custom?.kind, custom?.isMarked], ['8710', undefined, false]);
  assert.equal(custom?.text, "%% It's time to make the do-nuts.");
  assert.deepEqual(event?.data, [
    {
      id: 'exampleSDID@32473',
      params: [
        ['iut', '3'],
        ['eventSource', 'Application'],
        ['eventID', '1011'],
      ],
    },
    { id: 'examplePriority@32473', params: [['class', 'high']] },
  ]);
  assert.equal(event?.text, undefined);
});

test('behind a backslash a quote, a backslash and a bracket are part of the value', () => {
  assert.deepEqual(read(withData('[a@1 b="\\"\\\\\\]" c="\\\\"]')).data, [
    {
      id: 'a@1',
      params: [
        ['b', '"\\]'],
        ['c', '\\'],
      ],
    },
  ]);
});

test('a line that breaks a rule is refused, and the rule is named', () => {
  const broken: readonly (readonly [line: string, rule: RegExp])[] = [
    ['<192>1 - - - - - -', /PRIVAL/],
    ['<013>1 - - - - - -', /PRIVAL/],
    ['<13>0 - - - - - -', /VERSION/],
    ['<13>1 2003-10-11T24:00:00Z - - - - -', /TIMESTAMP/],
    ['<13>1 2003-10-11T22:14:60Z - - - - -', /TIMESTAMP/],
    ['<13>1 2003-02-29T22:14:15Z - - - - -', /TIMESTAMP/],
    ['<13>1 2003-08-24T05:14:15.000000003-07:00 - - - - -', /TIMESTAMP/],
    [`<13>1 - ${'h'.repeat(256)} - - - -`, /HOSTNAME/],
    ['<13>1 - ü - - - -', /HOSTNAME/],
    [`<13>1 - - ${'a'.repeat(49)} - - -`, /APP-NAME/],
    [`<13>1 - - - ${'p'.repeat(129)} - -`, /PROCID/],
    [`<13>1 - - - - ${'m'.repeat(33)} -`, /MSGID/],
    ['<13>1 - - -  - -', /PROCID/],
    ['<13>1 - - - - - ', /STRUCTURED-DATA/],
    [withData('[ a@1 b="c"]'), /SD-ID/],
    [withData('[a b="c"]'), /SD-ID/],
    [withData('[a@1 b="c"][a@1]'), /twice/],
    [withData(`[a@1 ${'n'.repeat(33)}="c"]`), /PARAM-NAME/],
    [withData('[a@1 b=c]'), /quotation/],
    [withData('[a@1 b="]"]'), /PARAM-VALUE/],
    [withData('[a@1 b="""]'), /SD-ELEMENT/],
    [withData('[a@1 b="\\n"]'), /backslash/],
    [withData('[a@1 b="c'), /PARAM-VALUE/],
    ['<13>1 - - - - - -x', /MSG/],
  ];
  for (const [line, rule] of broken)
    assert.throws(() => read(line), { name: 'SyntaxError', message: rule }, line);
  // Behind a space an element is text: section 6.3.5 shows it as valid and mostly not meant.
  assert.equal(read('<13>1 - - - - - [a@1] [d@1]').text, '[d@1]');
  assert.throws(() => readSyslog(Uint8Array.of(...bytes('<13>1 - - - - - - '), 0xed, 0xa0, 0x80)), TypeError);
});

test('frames are counted in bytes, with nothing between and nothing left over', () => {
  const texts = (text: string) => readFrames(bytes(text)).map((frame) => new TextDecoder().decode(frame));
  assert.deepEqual(texts('3 é!2 ab'), ['é!', 'ab']);
  for (const text of ['03 abc', '4 abc', '3 abc\n', '3abc', ' 3 abc'])
    assert.throws(() => texts(text), SyntaxError, text);
});
