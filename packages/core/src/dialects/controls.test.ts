// Claims that ids, settings and the like of official clients hold nobody's numbers, and still no key and no banner.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify } from '../classify/classification.ts';
import { findSpans } from '../classify/redact.ts';
import type { EndpointId } from './endpoints.ts';
import { parseInferenceRequest } from './inference-request.ts';
import { defaultParseLimits, type Part } from './request-types.ts';
import { leavesOf } from './splice.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const deps = {
  decodeUtf8: (bytes: Uint8Array) => decoder.decode(bytes),
  limits: defaultParseLimits,
};

type Json = { readonly [key: string]: unknown };

function textsOf(id: EndpointId, body: Json): readonly (Part & { readonly kind: 'text' })[] {
  const dialect = id === 'messages' ? 'anthropic' : 'openai';
  const endpoint = { id, dialect, providerPath: '/', provider: undefined, objectId: undefined } as const;
  const request = parseInferenceRequest(endpoint, new TextEncoder().encode(JSON.stringify(body)), deps);
  assert.ok(request.kind === 'request', JSON.stringify(request));
  return request.parts.filter((part) => part.kind === 'text');
}
const labelsOf = (id: EndpointId, body: Json) => classify(textsOf(id, body), undefined).labels;

const hi = [{ role: 'user', content: 'hi' }];
/** Where clients put ids of their own and of the provider's. */
const places: readonly (readonly [EndpointId, (id: unknown) => Json])[] = [
  ['chat', (id) => ({ model: 'a', messages: [{ role: 'tool', content: 'x', tool_call_id: id }] })],
  ['chat', (id) => ({ model: 'a', messages: [{ role: 'assistant', tool_calls: [{ id, function: {} }] }] })],
  ['chat', (id) => ({ model: 'a', messages: hi, user: id, prompt_cache_key: id, safety_identifier: id })],
  ['chat', (id) => ({ model: 'a', messages: [{ role: 'assistant', function_call: { name: id } }] })],
  ['messages', (id) => ({ model: 'a', messages: hi, metadata: { user_id: id } })],
  ['responses', (id) => ({ model: 'a', input: 'hi', client_metadata: { session_id: id } })],
  [
    'messages',
    (id) => ({
      model: 'a',
      messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: id }] }],
    }),
  ],
  [
    'responses',
    (id) => ({ model: 'a', input: [{ type: 'function_call', id, call_id: id, arguments: '{}' }] }),
  ],
];

/** Each has the form of somebody's number by chance. */
const numbers: readonly string[] = [
  '5907818250729645', // digits in a row that pass for a card, as one in fifty ids do
  'user_6567041342322',
  'my-package@7.11.7.60',
  'agent 14.21.21.46 (build 7)',
  'session-415-555-2671',
  'mcp__phone__2671415555',
  'birth-1980-03-12',
  'DE89370400440532013000',
];

test('an id, a setting or a name of a tool is nobody’s number, whatever its digits', () => {
  for (const number of numbers) {
    for (const [id, put] of places)
      assert.deepEqual(labelsOf(id, put(number)), [], JSON.stringify(put(number)));
  }
});

test('the same digits in a prompt, in a member that nobody knows and in a tool’s arguments are read as ever', () => {
  const [card] = numbers;
  for (const body of [
    { model: 'a', messages: [{ role: 'user', content: card }] },
    { model: 'a', messages: hi, note: card },
    { model: 'a', messages: hi, metadata: { note: card } },
    { model: 'a', messages: [{ role: 'assistant', tool_calls: [{ function: { arguments: card } }] }] },
    { model: 'a', messages: [{ role: 'assistant', content: null, refusal: card }] },
  ])
    assert.ok(labelsOf('chat', body).includes('payment_card'), JSON.stringify(body));
});

test('a key, a banner and an address of mail are found in an id', () => {
  const key = `sk-ant-api03-${'aZ9kQ2mX7pLw4RtY8vBn3CdF6gHj1SsU5eWo0iKqNzMxTyVb'}`;
  const found = [
    [key, 'api_key'],
    ['CUI//SP-CTI', 'controlled'],
    ['bob@example.com', 'email'],
  ] as const;
  for (const [text, label] of found) {
    for (const [id, put] of places)
      assert.ok(labelsOf(id, put(text)).includes(label), JSON.stringify(put(text)));
  }
});

test('what is not counted in an id is not cut from it, and what is counted is', () => {
  const body = { model: 'a', messages: hi, metadata: { user_id: 'bob@example.com 5907818250729645' } };
  const [part] = textsOf('messages', body).filter(({ isControl }) => isControl === true);
  assert.ok(part !== undefined);
  const spansOf = (text: string) =>
    findSpans(text, ['personal', 'financial'], undefined, undefined, true).spans;
  assert.deepEqual(
    spansOf(part.text).map(({ label }) => label),
    ['email'],
  );
  const leaves = leavesOf(part).flatMap((leaf) => (leaf.kind === 'text' ? spansOf(leaf.text) : []));
  assert.equal(leaves.length, 1);
});
