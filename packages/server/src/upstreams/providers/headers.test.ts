// Owns the claims about which headers cross the gateway, in both directions, and where a base URL leads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@countersign/core/errors';
import fc from 'fast-check';
import { defaultBaseUrl, joinPath, parseBaseUrl } from './base-url.ts';
import { upstreamHeaders } from './request-headers.ts';
import { downstreamHeaders } from './response-headers.ts';

function namesOf(flat: readonly string[]): readonly string[] {
  return flat.filter((_, at) => at % 2 === 0);
}

function valuesOf(flat: readonly string[], name: string): readonly string[] {
  return flat.filter((_, at) => at % 2 === 1 && flat[at - 1] === name);
}

const credentials = [
  'Authorization',
  'Proxy-Authorization',
  'X-Api-Key',
  'API-KEY',
  'x-goog-api-key',
  'Cookie',
  'x-countersign-user',
  'X-Forwarded-Client-Cert',
];
const identityAndFraming = [
  'Forwarded',
  'X-Forwarded-For',
  'x-forwarded-user',
  'x-auth-request-email',
  'Via',
  'Host',
  'Connection',
  'Keep-Alive',
  'Transfer-Encoding',
  'Content-Length',
  'Content-Encoding',
  'Expect',
  'TE',
  'Trailer',
  'Upgrade',
  'Proxy-Connection',
  'Accept-Encoding',
  'X-Http-Method-Override',
  'OpenAI-Organization',
  'openai-project',
  'anthropic-workspace-id',
  'Anthropic-User-Profile-Id',
];

test('no credential, forwarded identity or framing of the client’s reaches a provider', () => {
  const inbound = [...credentials, ...identityAndFraming].flatMap((name) => [name, 'canary']);
  for (const kind of ['openai', 'anthropic', 'openai_compatible', 'sandbox'] as const) {
    assert.ok(!upstreamHeaders(kind, 'chat', inbound, 'key', 5).includes('canary'));
    assert.ok(!upstreamHeaders(kind, 'messages', inbound, undefined, undefined).includes('canary'));
  }
});

test('what belongs to the wire passes as it was sent', () => {
  const inbound = [
    ...['Content-Type', 'application/json', 'anthropic-beta', 'a,b', 'Anthropic-Beta', 'c'],
    ...['OpenAI-Beta', 'responses=v1', 'X-Stainless-Lang', 'js', 'User-Agent', 'x/1', 'Idempotency-Key', 'i'],
    ...['anthropic-dangerous-direct-browser-access', 'true', 'X-Claude-Code-Session-Id', 's'],
  ];
  const flat = upstreamHeaders('anthropic', 'messages', inbound, 'sk-ant', 5);
  assert.deepEqual(valuesOf(flat, 'anthropic-beta'), ['a,b', 'c']);
  for (const value of ['application/json', 'responses=v1', 'js', 'x/1', 'i', 'true', 's']) {
    assert.ok(flat.includes(value), value);
  }
  assert.deepEqual(valuesOf(flat, 'content-length'), [], 'who writes the head frames the body');
  assert.deepEqual(valuesOf(flat, 'accept-encoding'), ['identity']);
});

test('a body that was read is sent as JSON, whatever its type says; one that is passed through keeps its type', () => {
  const typed = (value: string, length: number | undefined, id: 'chat' | 'passthrough') =>
    valuesOf(upstreamHeaders('openai', id, ['content-type', value], 'k', length), 'content-type');
  const utf7 = 'application/json; charset=utf-7';
  assert.deepEqual(typed(utf7, 5, 'chat'), ['application/json']);
  assert.deepEqual(typed(utf7, undefined, 'chat'), []);
  const form = 'multipart/form-data; boundary=x';
  assert.deepEqual(typed(form, 5, 'passthrough'), [form]);
});

test('each provider is given its key in its own style, and only there', () => {
  assert.deepEqual(valuesOf(upstreamHeaders('openai', 'chat', [], 'k', 1), 'authorization'), ['Bearer k']);
  assert.deepEqual(valuesOf(upstreamHeaders('openai_compatible', 'messages', [], 'k', 1), 'authorization'), [
    'Bearer k',
  ]);
  const anthropic = upstreamHeaders('anthropic', 'messages', [], 'k', 1);
  assert.deepEqual(valuesOf(anthropic, 'x-api-key'), ['k']);
  assert.ok(!namesOf(anthropic).includes('authorization'));
  assert.ok(namesOf(upstreamHeaders('anthropic', 'models', [], 'k', undefined)).includes('x-api-key'));
  assert.ok(namesOf(upstreamHeaders('anthropic', 'chat', [], 'k', 1)).includes('authorization'));
  const none = namesOf(upstreamHeaders('openai_compatible', 'chat', [], undefined, 1));
  assert.ok(!none.includes('authorization') && !none.includes('x-api-key'));
});

test('anthropic-version is the client’s, once, or else the documented one', () => {
  const sent = ['anthropic-version', '2030-01-01', 'Anthropic-Version', '1999-01-01'];
  assert.deepEqual(valuesOf(upstreamHeaders('anthropic', 'messages', sent, 'k', 1), 'anthropic-version'), [
    '2030-01-01',
  ]);
  assert.deepEqual(valuesOf(upstreamHeaders('anthropic', 'messages', [], 'k', 1), 'anthropic-version'), [
    '2023-06-01',
  ]);
  assert.ok(!namesOf(upstreamHeaders('openai', 'chat', [], 'k', 1)).includes('anthropic-version'));
});

test('a header that Connection names is for one hop, in both directions', () => {
  const inbound = ['Connection', 'keep-alive, Anthropic-Beta', 'anthropic-beta', 'x', 'user-agent', 'u'];
  const names = namesOf(upstreamHeaders('anthropic', 'messages', inbound, 'k', 1));
  assert.ok(!names.includes('anthropic-beta') && names.includes('user-agent'));
  assert.deepEqual(downstreamHeaders(['connection', 'openai-version', 'openai-version', '1'], []), []);
});

test('no value with CR, LF or NUL passes, whatever surrounds it', () => {
  const part = fc.string({ unit: 'binary', maxLength: 8 });
  fc.assert(
    fc.property(part, fc.constantFrom('\r', '\n', '\0', '\r\n'), part, (before, bad, after) => {
      const value = before + bad + after;
      const flat = ['content-type', value, 'anthropic-beta', value];
      assert.ok(!upstreamHeaders('openai', 'chat', flat, 'k', 1).includes(value));
      assert.deepEqual(downstreamHeaders(flat, []), []);
    }),
  );
});

test('a stored key that would break the header is refused without being shown', () => {
  assert.throws(
    () => upstreamHeaders('openai', 'chat', [], 'sk-canary\r\nx: y', 1),
    (error: unknown) => error instanceof AppError && !error.message.includes('canary'),
  );
});

test('a client is given the provider’s limits and ids, not its cookies and framing', () => {
  const flat = [
    ...['content-type', 'application/json', 'content-type', 'text/html', 'x-request-id', 'req_1'],
    ...['request-id', 'req_2', 'openai-processing-ms', '7', 'x-ratelimit-remaining-tokens', '9'],
    ...['anthropic-ratelimit-tokens-reset', 'soon', 'retry-after', '3', 'x-should-retry', 'true'],
    ...[
      'set-cookie',
      'a=1',
      'content-length',
      '5',
      'transfer-encoding',
      'chunked',
      'server',
      'x',
      'alt-svc',
      'h3',
    ],
    ...['strict-transport-security', 'x', 'content-encoding', 'identity', 'www-authenticate', 'Bearer'],
    ...[
      'access-control-allow-origin',
      '*',
      'x-countersign-record',
      'forged',
      'location',
      '/',
      'via',
      '1.1 x',
    ],
  ];
  assert.deepEqual(downstreamHeaders(flat, []), [
    ...['content-type', 'application/json', 'x-upstream-request-id', 'req_1', 'request-id', 'req_2'],
    ...['openai-processing-ms', '7', 'x-ratelimit-remaining-tokens', '9'],
    ...['anthropic-ratelimit-tokens-reset', 'soon', 'retry-after', '3', 'x-should-retry', 'true'],
  ]);
});

test('a provider’s limits give way to the gateway’s own, and the names of its account to nobody', () => {
  const flat = [
    ...['openai-organization', 'acme-production', 'openai-project', 'proj_1', 'openai-version', '2020-10-01'],
    ...['anthropic-organization-id', 'org-1', 'anthropic-workspace-id', 'ws-1'],
    ...['x-ratelimit-remaining-requests', '9999', 'x-ratelimit-limit-input-images', '50'],
  ];
  const own = ['x-countersign-record', 'r', 'x-ratelimit-remaining-requests', '3'];
  assert.deepEqual(downstreamHeaders(flat, own), ['openai-version', '2020-10-01', ...own]);
  assert.deepEqual(downstreamHeaders(flat, ['x-countersign-record', 'r']), [
    ...['openai-version', '2020-10-01', 'x-ratelimit-remaining-requests', '9999'],
    ...['x-ratelimit-limit-input-images', '50', 'x-countersign-record', 'r'],
  ]);
});

test('a base URL is continued once, with or without its version', () => {
  const cases = [
    ['https://api.openai.com', 'https://api.openai.com', '/v1/chat/completions'],
    ['https://host/v1', 'https://host', '/v1/chat/completions'],
    ['https://host/api/v1/', 'https://host', '/api/v1/chat/completions'],
    ['http://host:8000/openai//', 'http://host:8000', '/openai/v1/chat/completions'],
  ] as const;
  for (const [text, origin, path] of cases) {
    const base = parseBaseUrl(text);
    assert.equal(base.origin, origin);
    assert.equal(joinPath(base.prefix, '/v1/chat/completions'), path);
  }
  assert.equal(joinPath('/v1', '/v2/x'), '/v1/v2/x');
  assert.equal(joinPath('/av1', '/v1/x'), '/av1/v1/x');
  for (const bad of ['https://u:p@host', 'https://host?x=1', 'https://host/#x', 'ftp://host', 'host']) {
    assert.throws(() => parseBaseUrl(bad), AppError, bad);
  }
  assert.equal(defaultBaseUrl('anthropic'), 'https://api.anthropic.com');
  assert.equal(defaultBaseUrl('openai_compatible'), undefined);
});
