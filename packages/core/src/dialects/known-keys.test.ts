// Claims that no member of a body that we know is a place to hide in: each holds, in turn, what must be found.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify } from '../classify/classification.ts';
import type { EndpointId } from './endpoints.ts';
import { parseInferenceRequest } from './inference-request.ts';
import { type Level, levels } from './known-keys.ts';
import { partReaders } from './read-content.ts';
import { itemReaders } from './read-responses.ts';
import { defaultParseLimits, type InferenceRequest } from './request-types.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const deps = {
  decodeUtf8: (bytes: Uint8Array) => decoder.decode(bytes),
  limits: defaultParseLimits,
};

type Json = { readonly [key: string]: unknown };
/** Puts an object into its place in a body of an endpoint. */
type Place = readonly [EndpointId, (object: Json) => Json];

const chat = (message: Json): Json => ({ model: 'a', messages: [message] });
const messages = (message: Json): Json => ({ model: 'a', max_tokens: 9, messages: [message] });
const responses = (item: Json): Json => ({ model: 'a', input: [item] });

const inChat: Place = ['chat', (part) => chat({ role: 'user', content: [part] })];
const inMessages: Place = ['messages', (part) => messages({ role: 'user', content: [part] })];
const inInput: Place = ['responses', (part) => responses({ role: 'user', content: [part] })];
const partsOf = (type: string, places: readonly Place[]): readonly Place[] =>
  places.map(([id, put]) => [id, (object) => put({ type, ...object })]);
const inParts = (type: string) => partsOf(type, [inChat, inMessages, inInput]);
const asItem = (type: string): Place => ['responses', (object) => responses({ type, ...object })];
const top = (id: EndpointId, base: Json): Place => [id, (object) => ({ ...base, ...object })];
const hi = [{ role: 'user', content: 'hi' }];
const below = (places: readonly Place[], key: string): readonly Place[] =>
  places.map(([id, put]) => [id, (object) => put({ [key]: object })]);
const called = { function: {}, custom: {} };

/** Where each level stands. */
const placesOf: { readonly [name in keyof typeof levels]: readonly Place[] } = {
  chat: [top('chat', { model: 'a', messages: hi })],
  completions: [top('completions', { model: 'a', prompt: 'hi' })],
  embeddings: [top('embeddings', { model: 'a', input: 'hi' })],
  responses: (['responses', 'response_tokens', 'response_compact'] as const).map((id) =>
    top(id, { model: 'a', input: 'hi' }),
  ),
  messages: (['messages', 'count_tokens'] as const).map((id) => top(id, { model: 'a', messages: hi })),
  chatMessage: [['chat', (object) => chat({ role: 'user', content: 'hi', ...object })]],
  message: [
    ['messages', (object) => messages({ role: 'user', content: 'hi', ...object })],
    ['responses', (object) => responses({ role: 'user', content: 'hi', ...object })],
    asItem('message'),
  ],
  toolCall: [['chat', (object) => chat({ role: 'assistant', tool_calls: [object] })]],
  calledFunction: [
    ...Object.keys(called).map(
      (key): Place => ['chat', (object) => chat({ role: 'assistant', tool_calls: [{ [key]: object }] })],
    ),
    ['chat', (object) => chat({ role: 'assistant', function_call: object })],
  ],
  prediction: below([top('chat', { model: 'a', messages: hi })], 'prediction'),
  storedPrompt: below([top('responses', { model: 'a', input: 'hi' })], 'prompt'),
  text: ['text', 'input_text', 'output_text'].flatMap(inParts),
  refusal: inParts('refusal'),
  thinking: inParts('thinking'),
  redactedThinking: inParts('redacted_thinking'),
  image: ['image', 'image_url', 'input_image'].flatMap(inParts),
  audio: inParts('input_audio'),
  file: ['file', 'input_file', 'document'].flatMap(inParts),
  document: inParts('document').map(([id, put]) => [
    id,
    (object) => put({ source: { type: 'text', data: 'hi' }, ...object }),
  ]),
  source: ['image_url', 'source', 'file', 'input_audio', 'file_url'].flatMap((key) =>
    below(['image', 'input_audio', 'file', 'document'].flatMap(inParts), key),
  ),
  call: ['tool_use', 'server_tool_use'].flatMap(inParts),
  result: ['tool_result', 'search_result'].flatMap(inParts),
  compactionPart: inParts('compaction'),
  callItem: ['function_call', 'custom_tool_call'].map(asItem),
  outputItem: ['function_call_output', 'computer_call_output'].map(asItem),
  reasoning: [asItem('reasoning')],
  compaction: [asItem('compaction')],
  reference: [asItem('item_reference'), ['responses', responses]],
  imageCall: [asItem('image_generation_call')],
  toolsItem: ['additional_tools', 'tool_search_output'].map(asItem),
};

const key = `sk-ant-api03-${'aZ9kQ2mX7pLw4RtY8vBn3CdF6gHj1SsU5eWo0iKqNzMxTyVb'}`;
const banner = '\nCUI//SP-CTI\n';
const pdf = `data:application/pdf;base64,${Buffer.from(`%PDF-1.7 ${key}${'x'.repeat(3000)}`).toString('base64')}`;

/** Each thing to be found, in the types that a member could have. */
function forms(canary: string): readonly unknown[] {
  const few: readonly unknown[] = [canary, [canary], { text: canary }, { content: [{ detail: canary }] }];
  if (canary !== key) return few;
  const all = { name: canary, signature: canary, data: canary, url: canary, id: canary };
  return [...few, [[canary]], { type: 'text', ...all }, { a: { b: [{ c: canary }] } }];
}

/** What is not sent, or not past policy: an id nobody here made, and a model nobody here has. */
function isStopped(request: InferenceRequest, canary: string): boolean {
  const { references } = request.providerState;
  return references.some(({ id }) => id === canary) || request.otherModels.includes(canary);
}

function isFound(id: EndpointId, body: Json, canary: string): boolean {
  const dialect = id === 'messages' || id === 'count_tokens' ? 'anthropic' : 'openai';
  const endpoint = { id, dialect, providerPath: '/', provider: undefined, objectId: undefined } as const;
  const request = parseInferenceRequest(endpoint, new TextEncoder().encode(JSON.stringify(body)), deps);
  if (request.kind === 'refusal' || request.model === canary || isStopped(request, canary)) return true;
  if (request.parts.some((part) => part.kind === 'opaque' && part.reason !== 'sealed')) return true;
  const texts = request.parts.filter((part) => part.kind === 'text');
  const { labels } = classify(texts, undefined);
  return labels.includes('secret') || labels.includes('controlled');
}

/** Every key of every level, and what `steering` and settings have as their own members. */
const allKeys: readonly string[] = [
  ...new Set([...Object.values(levels).flatMap(({ known }) => [...known]), 'name', 'unheard_of', 'title']),
];

/** Members whose text is the prompt: a data URL in them is text to the model, and stays base64 that nobody undoes. */
const prompt: ReadonlySet<string> = new Set(
  ['text', 'content', 'input', 'arguments', 'thinking', 'refusal', 'messages', 'system', 'tools', 'functions']
    .concat(['instructions', 'prompt', 'prediction', 'output', 'summary', 'variables', 'function', 'custom'])
    .concat(['function_call', 'mcp_servers', 'source']),
);

function missed(places: readonly Place[], keys: Iterable<string>): readonly string[] {
  const all: string[] = [];
  for (const [id, put] of places) {
    for (const name of keys) {
      for (const canary of prompt.has(name) ? [key, banner] : [key, banner, pdf]) {
        for (const value of forms(canary)) {
          const object = put({ [name]: value });
          if (!isFound(id, object, canary)) all.push(JSON.stringify(object).slice(0, 300));
        }
      }
    }
  }
  return all;
}

for (const [name, places] of Object.entries(placesOf)) {
  test(`nothing hides in a member at the level ${name}, whatever its type`, () => {
    assert.deepEqual(missed(places, allKeys), []);
  });
}

for (const type of partReaders.keys()) {
  test(`nothing hides in a member of a part of the type ${type}`, () => {
    assert.deepEqual(missed(partsOf(type, [inMessages]), allKeys), []);
  });
}

for (const type of itemReaders.keys()) {
  test(`nothing hides in a member of an item of the type ${type}`, () => {
    assert.deepEqual(missed([asItem(type)], allKeys), []);
  });
}

test('nothing hides in the name of a member that nobody knows, whatever its value', () => {
  const names: string[] = [];
  for (const [id, put] of Object.values(placesOf).flat()) {
    for (const canary of [key, banner]) {
      for (const value of [1, true, null, 'x', {}, { a: 1 }, ['b']]) {
        const object = put({ [canary]: value });
        if (!isFound(id, object, canary)) names.push(JSON.stringify(object));
      }
    }
  }
  assert.deepEqual(names, []);
});

function labelsOf(id: EndpointId, body: Json): readonly string[] {
  const endpoint = {
    id,
    dialect: 'openai',
    providerPath: '/',
    provider: undefined,
    objectId: undefined,
  } as const;
  const request = parseInferenceRequest(endpoint, new TextEncoder().encode(JSON.stringify(body)), deps);
  assert.ok(request.kind === 'request');
  const texts = request.parts.filter((part) => part.kind === 'text');
  return classify(texts, undefined).labels;
}

const card = 4_111_111_111_111_111;

test('a digit string that is written as a number is read', () => {
  for (const places of [placesOf.chat, placesOf.chatMessage, placesOf.text]) {
    for (const [id, put] of places) {
      const object = put({ note: card });
      assert.ok(labelsOf(id, object).includes('payment_card'), JSON.stringify(object));
    }
  }
});

test('a seed is drawn by chance: as a number it is nobody’s card, as a text it is read', () => {
  const seeded = (seed: unknown) => labelsOf('chat', { model: 'a', messages: hi, seed });
  assert.deepEqual(seeded(card), []);
  assert.ok(seeded(String(card)).includes('payment_card'));
});

test('every level reads less than it knows, and knows what it reads', () => {
  const all: readonly Level[] = Object.values(levels);
  for (const { read, known } of all) for (const name of read) assert.ok(known.has(name));
});
