// Owns the check that what policy sees is what is sent: lookalike keys, odd values, bounds, smuggled text.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointId } from './endpoints.ts';
import { parseInferenceRequest, storesAnswer } from './inference-request.ts';
import { defaultParseLimits, type InferenceRequest } from './request-types.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => decoder.decode(bytes);
const encodeUtf8 = (text: string) => new TextEncoder().encode(text);

function parse(id: EndpointId, body: string) {
  const dialect = id === 'messages' || id === 'count_tokens' ? 'anthropic' : 'openai';
  const endpoint = { id, dialect, providerPath: '/', provider: undefined, objectId: undefined } as const;
  return parseInferenceRequest(endpoint, encodeUtf8(body), { decodeUtf8, limits: defaultParseLimits });
}
function accept(id: EndpointId, body: unknown): InferenceRequest {
  const request = parse(id, typeof body === 'string' ? body : JSON.stringify(body));
  assert.ok(request.kind === 'request', JSON.stringify(request));
  return request;
}
const hi = [{ role: 'user', content: 'hi' }];

const lookalikes: readonly (readonly [EndpointId, string])[] = [
  ['chat', '{"model":"a","Model":"b","messages":[]}'],
  ['chat', '{"Model":"b","messages":[]}'],
  ['chat', '{"model":"a","mod\\u0065l":"b","messages":[]}'],
  ['chat', '{"model":"a","\\u017ftream":true,"messages":[]}'],
  ['chat', '{"model":"a","max_to\\u212aens":1,"messages":[]}'],
  ['chat', '{"model":"a","messages":[{"role":"user","content":"x","Content":"y"}]}'],
  ['chat', '{"model":"a","messages":[{"role":"user","content":[{"type":"text","text":"x","TEXT":"y"}]}]}'],
  ['responses', '{"model":"a","input":"x","Previous_Response_Id":"resp_1"}'],
  ['responses', '{"model":"a","input":"x","tools":[{"type":"function","Type":"mcp"}]}'],
  ['messages', '{"model":"a","max_tokens":1,"messages":[],"MCP_servers":[]}'],
  ['messages', '{"model":"a","max_tokens":1,"messages":[],"metadata":{"User_Id":"x"}}'],
  ['passthrough', '{"model":"a","Model":"b"}'],
];
for (const [id, body] of lookalikes) {
  test(`THREATS row 20: ${id} refuses ${body}`, () => {
    assert.equal(parse(id, body).kind, 'refusal');
  });
}

const odd: readonly (readonly [EndpointId, string])[] = [
  ['chat', '{"messages":[]}'],
  ['chat', '{"model":1,"messages":[]}'],
  ['chat', '{"model":"","messages":[]}'],
  ['chat', '{"model":"a\\u0000b","messages":[]}'],
  ['chat', '{"model":"\\ud800","messages":[]}'],
  ['chat', '{"model":"a"}'],
  ['chat', '{"model":"a","messages":"hi"}'],
  ['chat', '{"model":"a","messages":[1]}'],
  ['chat', '{"model":"a","messages":[],"stream":"true"}'],
  ['chat', '{"model":"a","messages":[],"max_tokens":"9"}'],
  ['chat', '{"model":"a","messages":[],"max_tokens":1e400}'],
  ['chat', '{"model":"a","messages":[],"max_tokens":-1}'],
  ['chat', '{"model":"a","messages":[],"n":0}'],
  ['responses', '{"model":"a","previous_response_id":7}'],
  ['responses', '{"model":"a","conversation":{}}'],
  ['messages', '{"model":"a","messages":[],"fallbacks":[{"model":3}]}'],
];
for (const [id, body] of odd) {
  test(`${id} refuses ${body}, which upstreams may read differently`, () => {
    assert.equal(parse(id, body).kind, 'refusal');
  });
}

test("capital letters are free where keys are the client's own", () => {
  const properties = { Model: { type: 'string' }, model: { type: 'string' } };
  accept('chat', {
    model: 'a',
    messages: [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: '1', function: { name: 'f', arguments: '{}' } }],
      },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties } } }],
    metadata: { Team: 'x' },
  });
  accept('messages', {
    model: 'a',
    max_tokens: 1,
    messages: [
      { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'f', input: { Type: 1, type: 2 } }] },
    ],
  });
});

test('text in a field that we do not know is classified all the same', () => {
  const secrets = ['one-secret', 'two-secret', 'three-secret', 'four-secret'];
  const request = accept('chat', {
    model: 'a',
    guided_json: { description: secrets[0] },
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'x', extra: secrets[1] },
          { type: 'hologram', said: secrets[2] },
        ],
        memo: [secrets[3]],
      },
    ],
  });
  const read = request.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('\n');
  for (const secret of secrets) assert.ok(read.includes(secret), secret);
  assert.ok(request.parts.some((part) => part.kind === 'opaque' && part.reason === 'unknown_type'));
});

test("tools that the provider runs are named wherever they are declared; the client's are not", () => {
  const shell = { type: 'shell', environment: { type: 'container_reference', container_id: 'cntr_1' } };
  const responses = accept('responses', {
    model: 'a',
    input: [{ type: 'additional_tools', role: 'developer', tools: [{ type: 'computer_use_preview' }] }],
    tools: [
      { type: 'namespace', name: 'n', tools: [{ type: 'custom', name: 'c' }] },
      { type: 'local_shell' },
      shell,
      { type: 'image_generation', model: 'gpt-image-1' },
      { type: 'mcp', server_label: 's', connector_id: 'connector_gmail' },
      { type: 'mcp', server_label: 't', connector_id: 'connector_0a1b' },
    ],
  });
  assert.deepEqual(responses.hostedTools, [
    'computer_use_preview',
    'image_generation',
    'mcp:connector_0a1b',
    'mcp:connector_gmail',
    'shell',
  ]);
  assert.deepEqual(responses.otherModels, ['gpt-image-1']);
  const connectors = responses.providerState.references.filter(({ kind }) => kind === 'connector');
  assert.deepEqual(
    connectors.map(({ id }) => id),
    ['connector_0a1b'],
    "the vendor's own are for policy alone",
  );
  assert.ok(
    responses.providerState.references.some(({ kind, id }) => kind === 'container' && id === 'cntr_1'),
  );
  const addition = {
    type: 'tool_addition',
    tool: { type: 'tool_definition', definition: { type: 'web_fetch_20250910', name: 'web_fetch' } },
  };
  const messages = accept('messages', {
    model: 'a',
    max_tokens: 5,
    messages: [{ role: 'user', content: [addition] }],
    tools: [
      { type: 'bash_20250124', name: 'bash' },
      { name: 'own', input_schema: {} },
      { type: 'code_execution_20250825', name: 'x' },
    ],
    fallbacks: [{ model: 'b', max_tokens: 900 }],
    thread: { type: 'continue', previous_message_id: 'msg_1' },
  });
  assert.deepEqual(messages.hostedTools, ['code_execution_20250825', 'web_fetch_20250910']);
  assert.deepEqual([messages.otherModels, messages.maxOutputTokens], [['b'], 900]);
  assert.deepEqual(messages.providerState.references, [{ kind: 'response', id: 'msg_1' }]);
  assert.deepEqual(accept('chat', { model: 'a', messages: hi, web_search_options: {} }).hostedTools, [
    'web_search',
  ]);
});

test('a request of more parts than are examined is refused, and one of as many inputs as vendors take is read', () => {
  const messages = Array.from({ length: 20_001 }, () => ({ role: 'user', content: 'a' }));
  assert.equal(parse('chat', JSON.stringify({ model: 'a', messages })).kind, 'refusal');
  const input = Array.from({ length: 2_048 }, () => 'a');
  assert.equal(accept('embeddings', { model: 'a', input }).parts.length, 2_048);
});

test('tokens instead of text are opaque', () => {
  for (const input of [
    [1, 2],
    [[1], [2]],
  ]) {
    const { parts } = accept('embeddings', { model: 'a', input });
    assert.deepEqual(parts, [{ kind: 'opaque', role: 'user', reason: 'tokens', path: ['input'] }]);
  }
});

test('responses are kept unless told not to, chats only if told', () => {
  assert.equal(storesAnswer(accept('responses', { model: 'a', input: 'x' })), true);
  assert.equal(storesAnswer(accept('responses', { model: 'a', input: 'x', store: false })), false);
  assert.equal(
    storesAnswer(accept('responses', { model: 'a', input: 'x', store: false, background: true })),
    true,
  );
  assert.equal(storesAnswer(accept('chat', { model: 'a', messages: hi })), false);
});
