// Owns the check that a body's own limits bound what it reserves, and that a ceiling lowers each of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointId } from './endpoints.ts';
import { parseInferenceRequest } from './inference-request.ts';
import { defaultParseLimits, type InferenceRequest } from './request-types.ts';
import { applySplices, spliceTokenCeiling } from './splice.ts';
import { inputBound, outputBound, pictureCap, type TokenCaps } from './token-bounds.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => decoder.decode(bytes);
const encodeUtf8 = (text: string) => new TextEncoder().encode(text);
const utf8 = { decodeUtf8, encodeUtf8 };

function parse(id: EndpointId, body: unknown) {
  const dialect = id === 'messages' || id === 'count_tokens' ? 'anthropic' : 'openai';
  const endpoint = { id, dialect, providerPath: '/', provider: undefined, objectId: undefined } as const;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return parseInferenceRequest(endpoint, encodeUtf8(text), { decodeUtf8, limits: defaultParseLimits });
}
function accept(id: EndpointId, body: unknown): InferenceRequest {
  const request = parse(id, body);
  assert.ok(request.kind === 'request', JSON.stringify(request));
  return request;
}
const hi = [{ role: 'user', content: 'hi' }];

const caps: TokenCaps = {
  contextWindow: 10_000,
  maxOutput: 2_000,
  kind: 'openai',
  perImage: 1_000,
  perAudio: 0,
  perFile: 0,
  preamble: 500,
  hostedRounds: 4,
};
const tokens = (request: InferenceRequest) => [inputBound(request, caps), outputBound(request, caps)];

test('the worst case counts n, media, predictions, unseen context and hosted rounds', () => {
  const body = JSON.stringify({ model: 'a', messages: hi, n: 3, max_completion_tokens: 100 });
  assert.deepEqual(tokens(accept('chat', body)), [body.length + 500, 300]);
  assert.equal(tokens(accept('chat', { model: 'a', messages: hi }))[1], 2_000);
  const data = `data:image/png;base64,${'A'.repeat(50_000)}`;
  const image = accept('chat', {
    model: 'a',
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: data } }] }],
  });
  assert.ok((tokens(image)[0] ?? 0) < 2_000);
  assert.deepEqual(
    tokens(accept('responses', { model: 'a', previous_response_id: 'r', max_output_tokens: 5 })),
    [10_000, 5],
  );
  assert.deepEqual(
    tokens(
      accept('responses', { model: 'a', input: 'x', tools: [{ type: 'web_search' }], max_output_tokens: 5 }),
    ),
    [40_000, 20],
  );
  const predicted = accept('chat', {
    model: 'a',
    messages: hi,
    max_tokens: 10,
    prediction: { type: 'content', content: 'abc' },
  });
  assert.equal(tokens(predicted)[1], 19);
});

test('a picture, a recording and a file each count for the most that one can', () => {
  const dear = { ...caps, contextWindow: 10 ** 9, perImage: 10 ** 5, perAudio: 10 ** 6, perFile: 10 ** 7 };
  const parts = {
    image: { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    audio: { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
    file: { type: 'file', file: { file_data: 'AAAA', filename: 'a.pdf' } },
  };
  const bound = (...content: readonly object[]) =>
    inputBound(accept('chat', { model: 'a', messages: [{ role: 'user', content }] }), dear);
  const { image, audio, file } = parts;
  for (const [content, most] of [
    [[image], 10 ** 5],
    [[audio], 10 ** 6],
    [[file], 10 ** 7],
    [[image, image, audio, file], 2 * 10 ** 5 + 10 ** 6 + 10 ** 7],
  ] as const)
    assert.equal(Math.floor(bound(...content) / 10 ** 5) * 10 ** 5, most);
});

test('a ceiling replaces the limit that is there, fills a null, or is added where none is', () => {
  const cap = (body: string) => {
    const request = accept('chat', body);
    const bytes = encodeUtf8(body);
    const splices = spliceTokenCeiling(request, bytes, 50, utf8);
    assert.ok(splices !== undefined);
    return decodeUtf8(applySplices(bytes, splices, encodeUtf8).bytes);
  };
  assert.equal(
    cap('{"model":"a","messages":[], "max_tokens" : 900 }'),
    '{"model":"a","messages":[], "max_tokens" : 50 }',
  );
  assert.equal(
    cap('{"model":"a","messages":[],"max_tokens":9}'),
    '{"model":"a","messages":[],"max_tokens":9}',
  );
  assert.equal(
    cap('{"model":"a","messages":[],"max_tokens":0}'),
    '{"model":"a","messages":[],"max_tokens":50}',
  );
  assert.equal(
    cap('{"model":"a","messages":[],"max_tokens":null}'),
    '{"model":"a","messages":[],"max_tokens":50}',
  );
  assert.equal(
    cap('{"model":"a","max_completion_tokens":null,"messages":[],"max_tokens":51}'),
    '{"model":"a","max_completion_tokens":null,"messages":[],"max_tokens":50}',
  );
  assert.equal(
    cap('{"model":"a","messages":[{"max_tokens":9}]}\n'),
    '{"model":"a","messages":[{"max_tokens":9}],"max_completion_tokens":50}\n',
  );
});

const limitNames = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const;
const limited: readonly (readonly [EndpointId, object, readonly string[]])[] = [
  ['chat', { messages: hi }, ['max_tokens', 'max_completion_tokens']],
  ['completions', { prompt: 'hi' }, ['max_tokens']],
  ['responses', { input: 'hi' }, ['max_output_tokens']],
  ['response_compact', { input: 'hi' }, []],
  ['messages', { messages: hi }, ['max_tokens']],
];
for (const [id, body, own] of limited) {
  for (const name of limitNames) {
    const bounds = own.includes(name);
    test(`${id}: \`${name}\` ${bounds ? 'bounds the answer' : 'is ignored by the provider and bounds nothing'}`, () => {
      const request = accept(id, { model: 'a', ...body, [name]: 7 });
      assert.equal(request.maxOutputTokens, bounds ? 7 : undefined);
      assert.equal(outputBound(request, caps), bounds ? 7 : caps.maxOutput);
      // 0 is no limit to some upstreams.
      assert.equal(outputBound(accept(id, { model: 'a', ...body, [name]: 0 }), caps), caps.maxOutput);
    });
  }
}

test('a body that is passed through is bound by the ceiling, or by more where it seems to ask for more', () => {
  const bound = (body: object) => outputBound(accept('passthrough', { model: 'a', ...body }), caps);
  assert.equal(bound({}), caps.maxOutput);
  assert.equal(bound({ max_tokens: 7 }), caps.maxOutput);
  assert.equal(bound({ max_tokens: 7, max_output_tokens: 90_000 }), 90_000);
  assert.equal(bound({ n: 10, max_tokens: 3_000 }), 30_000);
  assert.equal(bound({ n: 'ten', best_of: -1 }), caps.maxOutput);
});

test('of two limits that an endpoint knows the larger is the bound, and one of another endpoint is none beside it', () => {
  const two = {
    model: 'a',
    messages: hi,
    max_tokens: 5,
    max_completion_tokens: 900,
    max_output_tokens: 4_000,
  };
  assert.equal(outputBound(accept('chat', two), caps), 900);
  assert.equal(outputBound(accept('chat', { ...two, max_completion_tokens: 0 }), caps), 5);
});

test('a limit above the ceiling is reserved in full, unless policy lowers it in the body', () => {
  const chat = accept('chat', { model: 'a', messages: hi, max_tokens: 128_000, n: 2 });
  assert.equal(outputBound(chat, caps), 256_000);
  assert.equal(outputBound(chat, { ...caps, lowered: 50 }), 100);
  const small = accept('chat', { model: 'a', messages: hi, max_tokens: 10 });
  assert.equal(outputBound(small, { ...caps, lowered: 50 }), 10);
  assert.equal(outputBound(accept('chat', { model: 'a', messages: hi }), { ...caps, lowered: 50 }), 50);
  // Nothing is lowered in a body whose limits are not known.
  assert.equal(outputBound(accept('passthrough', { model: 'a' }), { ...caps, lowered: 50 }), caps.maxOutput);
});

test('a bound that no number can hold stops at the last that it can', () => {
  const most = 0x7fffffff;
  const request = accept('chat', { model: 'a', messages: hi, max_tokens: most, n: most });
  assert.equal(outputBound(request, caps), Number.MAX_SAFE_INTEGER);
});

test('chat counts the answers of which the best is chosen, and cannot stream them', () => {
  const body = { model: 'a', messages: hi, max_tokens: 10, best_of: 20 };
  assert.equal(outputBound(accept('chat', body), caps), 200);
  assert.equal(outputBound(accept('chat', { ...body, n: 30 }), caps), 300);
  assert.equal(parse('chat', { ...body, stream: true }).kind, 'refusal');
  accept('chat', { ...body, n: 20, stream: true });
});

function lowered(body: object, ceiling: number): unknown {
  const bytes = encodeUtf8(JSON.stringify(body));
  const splices = spliceTokenCeiling(accept('messages', body), bytes, ceiling, utf8);
  if (splices === undefined) return undefined;
  return JSON.parse(decodeUtf8(applySplices(bytes, splices, encodeUtf8).bytes));
}

test("a ceiling lowers the limits of fallbacks and the budget for thinking along with the body's own", () => {
  const body = {
    model: 'a',
    fallbacks: [{ model: 'b', max_tokens: 4_000 }, { model: 'c' }, { model: 'd', max_tokens: 9 }],
    thinking: { type: 'enabled', budget_tokens: 8_000 },
    messages: hi,
    max_tokens: 9_000,
  };
  assert.deepEqual(lowered(body, 2_000), {
    ...body,
    fallbacks: [{ model: 'b', max_tokens: 2_000 }, { model: 'c' }, { model: 'd', max_tokens: 9 }],
    thinking: { type: 'enabled', budget_tokens: 1_999 },
    max_tokens: 2_000,
  });
  assert.deepEqual(lowered(body, 10_000), body);
});

test('a ceiling under which the vendor lets no model think is not spliced', () => {
  const thinking = { type: 'enabled', budget_tokens: 1_024 };
  const body = { model: 'a', thinking, messages: hi, max_tokens: 4_000 };
  assert.equal(lowered(body, 1_024), undefined);
  assert.deepEqual(lowered(body, 1_025), { ...body, max_tokens: 1_025 });
  const more = { ...body, thinking: { ...thinking, budget_tokens: 2_000 } };
  assert.equal(lowered(more, 1_024), undefined);
  assert.deepEqual(lowered(more, 1_025), { ...body, max_tokens: 1_025 }, 'down to the least');
  const off = { ...body, thinking: { type: 'disabled' } };
  assert.deepEqual(lowered(off, 50), { ...off, max_tokens: 50 });
});

test('a picture counts at the least what is billed for the largest, by the models of its provider', () => {
  const tiles = (base: number, each: number) => base + 8 * each;
  assert.ok(pictureCap('openai', 'gpt-4o-mini-2024-07-18') >= tiles(2_833, 5_667));
  assert.ok(pictureCap('openai_compatible', 'a-deployment') >= tiles(2_833, 5_667));
  assert.ok(pictureCap('openai', 'gpt-4o') >= tiles(85, 170));
  assert.ok(pictureCap('openai', 'gpt-5.4-nano') >= 10_000 * 2.46);
  assert.ok(pictureCap('anthropic', 'claude-opus-4-7') >= 4_784);
});

test('a server that only speaks the dialect of chats is trusted with `max_tokens` alone', () => {
  const bound = (kind: TokenCaps['kind'], body: object, lowered?: number) =>
    outputBound(accept('chat', { model: 'a', messages: hi, ...body }), { ...caps, kind, lowered });
  const newer = { max_completion_tokens: 5 };
  assert.deepEqual([bound('openai', newer), bound('openai_compatible', newer)], [5, 2_000]);
  assert.equal(bound('openai_compatible', newer, 3), 2_000);
  assert.equal(bound('openai_compatible', { max_completion_tokens: 3_000 }), 3_000);
  for (const both of [{ max_tokens: 5 }, { max_tokens: 5, max_completion_tokens: 4 }])
    assert.equal(bound('openai_compatible', both), 5);
});
