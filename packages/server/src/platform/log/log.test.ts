// Owns the claims about what the log writes and what it never writes.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { AppError } from '@countersign/core/errors';
import { makeId } from '@countersign/core/ids';
import { parseJson } from '@countersign/core/parse-json';
import { formatKey } from '@countersign/core/tokens/key-format';
import fc from 'fast-check';
import { Secret } from '../config/secret.ts';
import { createLog, type Log, type LogLevel, requestLog } from './log.ts';

function open(level: LogLevel = 'trace'): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => void lines.push(line) } });
  return { log, lines };
}

function fieldsOf(line: string | undefined): { readonly [name: string]: unknown } {
  const parsed: unknown = parseJson(line ?? '');
  assert.ok(typeof parsed === 'object' && parsed !== null);
  return { ...parsed };
}

const pemWords = ['-----BEGIN', 'PRIVATE', 'KEY-----'].join(' ');
const pemEnd = pemWords.replace('BEGIN', 'END');
const key = formatKey(makeId('key', 1_760_000_000_000, randomBytes(10)), randomBytes(32));
const encode = (text: string): string => Buffer.from(text).toString('base64url');
const jwt = `${encode('{"alg":"RS256"}')}.${encode('{"sub":"alice"}')}.${randomBytes(64).toString('base64url')}`;
/** Secrets that their own shape gives away, wherever they stand. The second is what must not be seen. */
const shapes: readonly (readonly [string, string])[] = [
  [key, key.slice(31)],
  [key.slice(0, 50), key.slice(31, 50)],
  [jwt, jwt.slice(-40)],
  [jwt.slice(0, 40), jwt.slice(12, 40)],
  ['sk-proj-Canary0123456789abcdefghij', 'Canary0123456789'],
  ['sk-ant-api03-Canary0123456789_abc-def', 'Canary0123456789'],
  ['sk_live_Canary0123456789', 'Canary0123456789'],
  ['AKIACANARY0123456789', 'CANARY0123456789'],
  ['AIzaSyCanary0123456789abcdefghijkl', 'Canary0123456789'],
  ['ghp_Canary0123456789abcdefghij', 'Canary0123456789'],
  ['glpat-Canary0123456789', 'Canary0123456789'],
  ['xoxb-Canary-0123456789-abcdef', 'Canary-0123456789'],
  ['Bearer canaryopaque', 'canaryopaque'],
  ['bearer  Canary0123', 'Canary0123'],
  ['Basic Y2FuYXJ5OmNhbmFyeQ==', 'Y2FuYXJ5'],
  ['postgres://app:canary-pass@db.example.com/app', 'canary-pass'],
  ['https://example.com/v1?key=canary-pass&x=1', 'canary-pass'],
  ['https://example.com/cb?x=1&access_token=canary-pass', 'canary-pass'],
  ['GET /v1beta/models?key=canary-pass HTTP/1.1', 'canary-pass'],
  ['Authorization: Token canary-pass', 'canary-pass'],
  ['"authorization":"Digest username=canary-pass"', 'canary-pass'],
  ["'x-api-key', 'canary-pass'", 'canary-pass'],
  ['x-api-key: canary-pass', 'canary-pass'],
  ['api-key=canary-pass', 'canary-pass'],
  ['{"api_key": "canary-pass"}', 'canary-pass'],
  [JSON.stringify(JSON.stringify({ apiKey: 'canary-pass' })), 'canary-pass'],
  ['Set-Cookie: sid=canary-pass; HttpOnly; note=canary-pass', 'canary-pass'],
  ['cookie: a=1; sid=canary-pass', 'canary-pass'],
  ['password=canary-pass', 'canary-pass'],
  ['client_secret=canary-pass&grant_type=x', 'canary-pass'],
  ['"refresh_token" : "canary\\"-pass"', '-pass'],
  [`${pemWords}\nMIICanary0123\nabc\n${pemEnd}`, 'Canary0123'],
  [`${pemWords.replace('PRIVATE', 'RSA PRIVATE')}\\nMIICanary0123\\n`, 'Canary0123'],
  [inspect({ headers: { authorization: 'Bearer canary-pass', cookie: 'sid=canary-pass' } }), 'canary-pass'],
  [inspect(['Authorization', 'Custom canary-pass', 'X-Api-Key', 'canary-pass']), 'canary-pass'],
];

/** Every way in which a text can come into a log call. */
const carriers: readonly (readonly [string, (log: Log, text: string) => void])[] = [
  ['message', (log, text) => log.info(text)],
  ['message among words', (log, text) => log.info(`could not call (${text}), tried again`)],
  ['message beside fields', (log, text) => log.warn({ a: 1 }, text)],
  ['field', (log, text) => log.info({ detail: text }, 'x')],
  ['nested field', (log, text) => log.info({ a: { b: [{ c: ['1', text] }] } }, 'x')],
  ['field name', (log, text) => log.info({ [text]: 1 }, 'x')],
  ['error message and stack', (log, text) => log.error(new Error(`failed: ${text}`), 'x')],
  ['error in a field', (log, text) => log.error({ error: new TypeError(text) }, 'x')],
  ['cause', (log, text) => log.error(new Error('outer', { cause: new Error(text) }), 'x')],
  ['cause that is no error', (log, text) => log.error(new Error('outer', { cause: { text } }), 'x')],
  ['details of a refusal', (log, text) => log.error(new AppError('internal', 'x', { subject: text }), 'x')],
  ['aggregate', (log, text) => log.error(new AggregateError([new Error(text)], 'several'), 'x')],
  [
    'error with own fields',
    (log, text) => log.error(Object.assign(new Error('x'), { config: { text } }), 'x'),
  ],
  ['map and set', (log, text) => log.info({ map: new Map([['a', new Set([text])]]) }, 'x')],
  ['toJSON', (log, text) => log.info({ url: { toJSON: () => ({ text }) } }, 'x')],
  ['child', (log, text) => log.child({ text }).info('x')],
  ['request id', (log, text) => requestLog(log, text).info('x')],
  ['format string', (log, text) => log.info({ a: text }, `%s %o %j ${text}`)],
];

for (const [name, carry] of carriers) {
  test(`no secret leaves by way of: ${name}`, () => {
    for (const [text, canary] of shapes) {
      const { log, lines } = open();
      carry(log, text);
      assert.equal(lines.length, 1);
      fieldsOf(lines[0]);
      assert.ok(!lines[0]?.includes(canary), `${text} in ${lines[0]}`);
    }
  });
}

test('fields with a secret name hold nothing, however deep, however written', () => {
  const names = [
    'authorization',
    'Authorization',
    'X-Api-Key',
    'api-key',
    'x-goog-api-key',
    'cookie',
    'set-cookie',
  ];
  const more = [
    'password',
    'clientSecret',
    'client_secret',
    'access_token',
    'refreshToken',
    'OPENAI_API_KEY',
    'jwt',
  ];
  for (const name of [...names, ...more, 'masterKey', 'DATABASE_URL', 'x-countersign-user', 'rawHeaders']) {
    for (const value of ['canary', ['canary'], { value: 'canary' }, Buffer.from('canary')]) {
      const { log, lines } = open();
      log.info({ request: { headers: { [name]: value } } }, 'x');
      log.info({ list: [name, value, 'and', 1] }, 'x');
      log.info({ list: [[name, value]] }, 'x');
      log.info({ list: [{ name, value }] }, 'x');
      log.info(new Map([[name, value]]), 'x');
      assert.equal(lines.length, 5);
      for (const line of lines) assert.doesNotMatch(line, /canary|99,97,110/, name);
    }
  }
  const { log, lines } = open();
  log.info({ headers: new Headers({ authorization: 'Custom canary', accept: '*/*' }) }, 'x');
  assert.doesNotMatch(lines[0] ?? '', /canary/);
  assert.match(lines[0] ?? '', /"accept":"\*\/\*"/);
});

test('a wrapped secret and bytes show nothing of their content', () => {
  const { log, lines } = open();
  log.info({ a: new Secret('canary'), b: Buffer.from('canary'), c: [new Secret('canary')] }, 'x');
  const { a, b, c } = fieldsOf(lines[0]);
  assert.deepEqual([a, b, c], ['[secret]', '[6 bytes]', ['[secret]']]);
});

test('fields that are no secrets stay as they were', () => {
  const { log, lines } = open();
  const fields = {
    inputTokens: 12,
    maxToken: 3,
    keyId: 'key_1',
    ok: true,
    none: null,
    tokens: 5,
    issuer: 'https://e',
  };
  log.info(fields, 'done');
  const { level, msg, time, ...rest } = fieldsOf(lines[0]);
  assert.deepEqual([level, msg, rest], ['info', 'done', fields]);
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
});

test('a request log carries the id, an error its type, code, stack and causes', () => {
  const { log, lines } = open();
  const cause = Object.assign(new RangeError('inner'), { code: 'E_INNER' });
  requestLog(log, 'req_1').error(new Error('outer', { cause }), 'failed');
  const { requestId, error } = fieldsOf(lines[0]);
  assert.equal(requestId, 'req_1');
  assert.match(JSON.stringify(error), /"type":"Error","message":"outer","stack":"Error: outer\\n {4}at /);
  assert.match(JSON.stringify(error), /"cause":\{"type":"RangeError","message":"inner",.*"code":"E_INNER"/);
});

test('a line below the level is not written, and nothing of it is looked at', () => {
  const { log, lines } = open('warn');
  let reads = 0;
  log.info(
    {
      get costly() {
        reads += 1;
        return 1;
      },
    },
    'x',
  );
  assert.deepEqual([lines.length, reads, log.isOn('info'), log.isOn('warn')], [0, 0, false, true]);
});

test('a message is one line: line ends and control characters cannot forge another', () => {
  const { log, lines } = open();
  log.info('one\n{"level":"fatal"}\r\u001b[31m');
  assert.equal(lines[0]?.trimEnd().split(/[\r\n]/).length, 1);
  assert.equal(lines[0]?.includes('\u001b'), false);
});

test('cycles, depth, breadth, getters that throw and huge texts end in one bounded line', () => {
  const { log, lines } = open();
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  let deep: unknown = 1;
  for (let i = 0; i < 1000; i += 1) deep = { deep };
  const thrower = {
    get x(): unknown {
      throw new Error('no');
    },
  };
  const proxy = new Proxy({}, { ownKeys: () => assert.fail('no keys') });
  const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`f${i}`, { a: i }]));
  log.info({ cycle, deep, thrower, proxy, wide, many: new Array(100_000).fill('x'), f: () => 1, n: 1n }, 'x');
  log.info('y'.repeat(10_000_000));
  assert.equal(lines.length, 2);
  for (const line of lines) assert.ok(line.length < 64 * 1024, String(line.length));
});

test('any value ends in one line of JSON', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true }), (value) => {
      const { log, lines } = open();
      log.info({ value }, 'x');
      fieldsOf(lines[0]);
    }),
  );
});
