// Owns the check that no setting of a body names a model, a tool or a stored object past policy.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointId } from './endpoints.ts';
import { parseInferenceRequest, storesAnswer } from './inference-request.ts';
import { defaultParseLimits, type InferenceRequest } from './request-types.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => decoder.decode(bytes);

function parse(id: EndpointId, body: object) {
  const dialect = id === 'messages' ? 'anthropic' : 'openai';
  const endpoint = { id, dialect, providerPath: '/', provider: undefined, objectId: undefined } as const;
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return parseInferenceRequest(endpoint, bytes, { decodeUtf8, limits: defaultParseLimits });
}

const bodies = new Map<EndpointId, object>([
  ['chat', { model: 'a', messages: [{ role: 'user', content: 'hi' }] }],
  ['completions', { model: 'a', prompt: 'hi' }],
  ['embeddings', { model: 'a', input: 'hi' }],
  ['responses', { model: 'a', input: 'hi' }],
  ['messages', { model: 'a', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }],
]);

function accept(id: EndpointId, more: object): InferenceRequest {
  const request = parse(id, { ...bodies.get(id), ...more });
  assert.ok(request.kind === 'request', JSON.stringify(request));
  return request;
}

const namings: readonly (readonly [string, object, readonly string[]])[] = [
  ["OpenRouter's `models`", { models: ['b', 'c'], route: 'fallback' }, ['b', 'c']],
  ['the same in another case', { Models: ['b'] }, ['b']],
  ["OpenRouter's auto router", { plugins: [{ id: 'auto-router', allowed_models: ['b/*'] }] }, ['b/*']],
  ["LiteLLM's `fallbacks` as names", { fallbacks: ['b'] }, ['b']],
  ["LiteLLM's `fallbacks` as a table", { context_window_fallbacks: [{ a: ['b', 'c'] }] }, ['b', 'c']],
  ["LiteLLM's `fallbacks` as requests", { fallbacks: [{ model: 'b', max_tokens: 5, user: 'x' }] }, ['b']],
  ['the `extra_body` that LiteLLM takes apart', { extra_body: { models: ['b'] } }, ['b']],
  ["Vercel's gateway", { providerOptions: { gateway: { only: ['x'], models: ['b'] } } }, ['b']],
  [
    "Groq's compound",
    { compound_custom: { models: { answering_model: 'b', reasoning_model: 'c' } } },
    ['b', 'c'],
  ],
  ["Together's `safety_model`", { safety_model: 'b' }, ['b']],
  ['names of weights', { lora_path: 'b', adapter_id: 'c' }, ['b', 'c']],
];
for (const [name, more, models] of namings) {
  test(`${name}: each model is one that policy decides on, on every endpoint`, () => {
    for (const id of bodies.keys()) {
      // Anthropic's own `fallbacks` has a reader of its own.
      if (id === 'messages' && 'fallbacks' in more) continue;
      assert.deepEqual(accept(id, more).otherModels, models, id);
    }
  });
}

test('a model in a body of which nobody knows the shape is one that policy decides on, however deep', () => {
  const request = parse('passthrough', {
    requests: [{ params: { model: 'b', messages: [{ model: 'own' }] } }],
  });
  assert.ok(request.kind === 'request');
  assert.deepEqual(request.otherModels, ['b']);
});

test("a name of no model is refused where a model's stands", () => {
  for (const more of [{ models: ['b\u0000'] }, { fallbacks: [''] }])
    assert.equal(parse('chat', { ...bodies.get('chat'), ...more }).kind, 'refusal');
});

test("the client's own words and schemas name no model", () => {
  const properties = { model: { type: 'string' }, models: { type: 'array', default: ['x'] } };
  const schema = { type: 'object', properties, examples: [{ model: 'Golf' }] };
  const request = accept('chat', {
    metadata: { model: 'Golf', prompt_id: '7' },
    response_format: { type: 'json_schema', json_schema: { name: 'car', schema } },
    guided_json: schema,
    tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
    provider: { order: ['x'], allow_fallbacks: false },
  });
  assert.deepEqual([request.otherModels, request.hostedTools], [[], []]);
  assert.deepEqual(request.providerState.references, []);
});

const redirects = [
  { api_base: 'https://elsewhere.example/v1' },
  { base_url: 'https://elsewhere.example/v1' },
  { api_key: 'sk-other' },
  { API_Key: 'sk-other' },
  { custom_llm_provider: 'bedrock' },
  { user_config: { model_list: [] } },
  { litellm_params: {} },
  { extra_headers: { authorization: 'x' } },
  { extra_body: { api_base: 'https://elsewhere.example/v1' } },
  { providerOptions: { gateway: { byok: { openai: [{ apiKey: 'x' }] } } } },
];
for (const more of redirects) {
  test(`a body that would send its call elsewhere is refused: ${JSON.stringify(more)}`, () => {
    for (const [id, body] of bodies) assert.equal(parse(id, { ...body, ...more }).kind, 'refusal', id);
  });
}

const switched: readonly (readonly [object, readonly string[]])[] = [
  [{ web_search_options: {} }, ['web_search']],
  [{ plugins: [{ id: 'web', max_results: 3 }, { id: 'file-parser' }] }, ['plugin:file-parser', 'plugin:web']],
  [{ plugins: ['plugin_web_search'] }, ['plugin:plugin_web_search']],
  [{ search_parameters: { mode: 'on' } }, ['web_search']],
  [{ enable_search: true }, ['web_search']],
  [{ extra_body: { enable_search: true } }, ['web_search']],
  [{ data_sources: [{ type: 'azure_search' }] }, ['data_sources:azure_search']],
  [{ enable_search: false, plugins: [], search_parameters: null }, []],
];
for (const [more, tools] of switched) {
  test(`${JSON.stringify(more)} asks for these hosted tools: ${tools.join(', ') || 'none'}`, () => {
    for (const id of bodies.keys()) assert.deepEqual(accept(id, more).hostedTools, tools, id);
  });
}

test('a tool that only its member names is hosted, and the models in the settings of hosted tools are seen', () => {
  const chat = accept('chat', {
    tools: [
      { google_search: {} },
      { type: 'openrouter:image_generation', parameters: { model: 'b' } },
      { type: 'function', function: { name: 'own' } },
    ],
  });
  assert.deepEqual(chat.hostedTools, ['google_search', 'openrouter:image_generation']);
  assert.deepEqual(chat.otherModels, ['b']);
  assert.deepEqual(accept('messages', { tools: [{ name: 'own', input_schema: {} }] }).hostedTools, []);
});

test('a tool is the caller’s to run only under exactly the names that its vendor gives such tools', () => {
  for (const type of ['bash_20250124', 'text_editor_20250728', 'memory_20250818', 'computer_20251124'])
    assert.deepEqual(accept('messages', { tools: [{ type, name: 'own' }] }).hostedTools, [], type);
  for (const type of ['bash_20250124x', 'computer_20251124_hosted', 'bash_2025012', 'xbash_20250124', 'bash'])
    assert.deepEqual(accept('messages', { tools: [{ type, name: 'own' }] }).hostedTools, [type]);
});

test('every id in a list is a reference, the last as much as the first', () => {
  const tools = [{ type: 'file_search', vector_store_ids: ['vs_1', 'vs_2', 'vs_3'] }];
  const references = ['vs_1', 'vs_2', 'vs_3'].map((id) => ({ kind: 'vector_store', id }));
  assert.deepEqual(accept('responses', { tools }).providerState.references, references);
});

test('an id of something that the provider keeps is a reference under every known name', () => {
  for (const [more, kind, id] of [
    [{ preset: 'p' }, 'prompt', 'p'],
    [{ prompt_id: 'p' }, 'prompt', 'p'],
    [{ extra_body: { google: { cached_content: 'cachedContents/1' } } }, 'prompt', 'cachedContents/1'],
    [{ thread_id: 't' }, 'conversation', 't'],
    [{ vector_store_ids: ['vs_1'] }, 'vector_store', 'vs_1'],
  ] as const) {
    for (const endpoint of bodies.keys())
      assert.deepEqual(accept(endpoint, more).providerState.references, [{ kind, id }], endpoint);
  }
  assert.deepEqual(accept('chat', { previous_response_id: 'resp_1' }).providerState.references, [
    { kind: 'response', id: 'resp_1' },
  ]);
  assert.deepEqual(
    accept('chat', { audio: { format: 'mp3', voice: { id: 'voice_1' } } }).providerState.references,
    [{ kind: 'audio', id: 'voice_1' }],
  );
});

test("an item that comes by its id alone is the provider's copy: a reference, and opaque", () => {
  const items = [
    { type: 'reasoning', id: 'rs_1', summary: [] },
    { type: 'image_generation_call', id: 'ig_1' },
    { type: 'compaction', id: 'cmp_1' },
    { type: 'message', role: 'assistant', id: 'msg_1' },
    { type: 'web_search_call', id: 'ws_1', status: 'completed' },
    { type: 'file_search_call', id: 'fs_1', results: null },
    { type: 'code_interpreter_call', id: 'ci_1', outputs: [] },
    { type: 'mcp_call', id: 'mcp_1' },
  ];
  for (const item of items) {
    const request = accept('responses', { input: [item] });
    assert.deepEqual(request.providerState.references, [{ kind: 'item', id: item.id }]);
    assert.ok(request.parts.some(({ kind }) => kind === 'opaque'));
  }
  const whole = [
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' },
    { type: 'reasoning', id: 'rs_2', summary: [], content: [{ type: 'reasoning_text', text: 'so' }] },
    { type: 'image_generation_call', id: 'ig_1', result: 'iVBOR' },
    { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'x' } },
    { type: 'compaction_trigger' },
    { type: 'message', role: 'assistant', id: 'msg_1', content: [{ type: 'output_text', text: 'a' }] },
  ];
  assert.deepEqual(accept('responses', { input: whole }).providerState.references, []);
});

test('media in a member that nobody expects are opaque', () => {
  const long = 'iVBORw0KGgo'.repeat(200);
  for (const more of [
    { image_data: [{ id: 1, data: long }] },
    { images: [long] },
    { first_frame: 'data:image/png;base64,iVBOR' },
    { multi_modal_data: { video: [{ url: 'https://host.example/v.mp4' }] } },
    { document_url: 'https://host.example/a.pdf' },
    { input_audio: { data: 'QUJD'.repeat(40) } },
  ]) {
    for (const id of bodies.keys())
      assert.ok(
        accept(id, more).parts.some(({ kind }) => kind === 'opaque'),
        `${id} ${Object.keys(more)[0]}`,
      );
  }
  const plain = accept('responses', {
    image: { context_compression: 'enabled' },
    stop: 'https://host.example',
  });
  assert.ok(plain.parts.every(({ kind }) => kind === 'text'));
});

test('an answer that is fetched later is one that the provider keeps', () => {
  for (const more of [{ background: true, store: false }, { deferred: true }])
    assert.equal(storesAnswer(accept('chat', more)), true);
});

test('what Codex tells its vendor of a session names nothing that is kept', () => {
  const told = { session_id: 's', thread_id: 't', turn_id: 'u', 'x-codex-installation-id': 'i' };
  const request = accept('responses', { client_metadata: told });
  assert.deepEqual(request.providerState.references, []);
  assert.ok(request.parts.some((part) => part.kind === 'text' && part.text.includes('"thread_id":"t"')));
});
