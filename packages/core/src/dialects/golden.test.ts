// Owns the check that bodies of the official SDKs and of coding clients are read whole and changed only by splices.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { isObject } from '../json.ts';
import { matchEndpoint } from './endpoints.ts';
import { parseInferenceRequest } from './inference-request.ts';
import { defaultParseLimits, type InferenceRequest } from './request-types.ts';
import { applySplices, leavesOf, spliceModel, spliceRedactions, spliceTokenCeiling } from './splice.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => decoder.decode(bytes);
const encoder = new TextEncoder();
const encodeUtf8 = (text: string) => encoder.encode(text);
const utf8 = { decodeUtf8, encodeUtf8 };
const deps = { decodeUtf8, limits: defaultParseLimits };

const bodySchema = z.array(
  z.object({ name: z.string(), method: z.string(), path: z.string(), body: z.string() }),
);
function load(file: string) {
  return bodySchema.parse(JSON.parse(readFileSync(new URL(`./golden/${file}`, import.meta.url), 'utf8')));
}
const bodies = [...load('sdk-bodies.json'), ...load('coding-client-bodies.json')];

function parse(name: string): { readonly request: InferenceRequest; readonly bytes: Uint8Array } {
  const golden = bodies.find((body) => body.name === name);
  assert.ok(golden !== undefined, name);
  const match = matchEndpoint(golden.method, golden.path);
  assert.ok(match.kind === 'endpoint');
  const bytes = encodeUtf8(golden.body);
  const request = parseInferenceRequest(match.endpoint, bytes, deps);
  assert.ok(request.kind === 'request', JSON.stringify(request));
  return { request, bytes };
}

function memberOf(value: unknown, step: string | number): unknown {
  if (Array.isArray(value) && typeof step === 'number') {
    const items: readonly unknown[] = value;
    return items[step];
  }
  return isObject(value) ? value[step] : undefined;
}

/** What a client says to the model, in one line for each part. */
function outline(request: InferenceRequest): readonly string[] {
  return request.parts.map((part) =>
    part.kind === 'opaque'
      ? `${part.role} <${part.reason}>`
      : `${part.role}: ${part.structured ? '{}' : part.text}`,
  );
}

for (const { name } of bodies) {
  test(`the body of ${name} passes unchanged without splices, and each splice changes only its own place`, () => {
    const { request, bytes } = parse(name);
    assert.equal(applySplices(bytes, [], encodeUtf8).bytes, bytes);
    const ceilings = spliceTokenCeiling(request, bytes, 7, utf8);
    // Only where a model is asked to think is there no body that holds so low a ceiling.
    assert.equal(ceilings === undefined, decodeUtf8(bytes).includes('budget_tokens'));
    const splices = [...spliceModel(request, bytes, 'other "model" ☃', utf8), ...(ceilings ?? [])];
    const { bytes: changed, records } = applySplices(bytes, splices, encodeUtf8);
    const before: unknown = JSON.parse(decodeUtf8(bytes));
    const after: unknown = JSON.parse(decodeUtf8(changed));
    const limits = Object.fromEntries(
      Object.entries(z.record(z.string(), z.unknown()).parse(after)).filter(([key]) =>
        /^max_\w*tokens$/.test(key),
      ),
    );
    assert.deepEqual(after, {
      ...z.record(z.string(), z.unknown()).parse(before),
      model: 'other "model" ☃',
      ...limits,
    });
    for (const limit of Object.values(limits)) if (ceilings !== undefined) assert.equal(limit, 7);
    // Undoing the recorded splices gives the original, byte for byte.
    let restored = Buffer.from(changed);
    for (const { offset, removed, inserted } of records) {
      restored = Buffer.concat([
        restored.subarray(0, offset),
        bytes.subarray(offset, offset + removed),
        restored.subarray(offset + inserted),
      ]);
    }
    assert.deepEqual(new Uint8Array(restored), bytes);
  });

  test(`every string that is read from ${name} can be redacted where it stands`, () => {
    const { request, bytes } = parse(name);
    const leaves = request.parts.flatMap((part) => leavesOf(part)).filter((part) => part.kind === 'text');
    const redactions = leaves.map((leaf, i) => ({ path: leaf.path, text: `«${i}»\n` }));
    const splices = spliceRedactions(bytes, redactions, utf8);
    assert.ok(splices !== undefined);
    const { bytes: changed } = applySplices(bytes, splices, encodeUtf8);
    const again = z.record(z.string(), z.unknown()).parse(JSON.parse(decodeUtf8(changed)));
    for (const { path, text } of redactions) {
      let value: unknown = again;
      for (const step of path) value = memberOf(value, step);
      assert.equal(value, text);
    }
  });
}

test('a turn of a coding client on messages is read in full: system blocks, thinking, tools, results', () => {
  const { request } = parse('claude-code-turn');
  assert.deepEqual(outline(request), [
    'system: You are a coding assistant.',
    'system: Environment: linux',
    'user: <system-reminder>context</system-reminder>',
    'user: fix the test',
    'assistant: look first',
    'assistant <sealed>',
    'assistant: EqQB',
    'assistant: {}',
    'assistant: toolu_1',
    'assistant: Bash',
    'tool: 1 failed',
    'tool: toolu_1',
    'system: {}',
    'user: {}',
    'user: {}',
  ]);
  assert.equal(request.stream, true);
  assert.equal(request.maxOutputTokens, 32000);
  assert.deepEqual(request.hostedTools, []);
  assert.equal(request.claimed.metadataUserId, 'user_0_account_1_session_2');
});

test('a turn of a coding client on responses names its hosted search, keeps nothing, and seals its reasoning', () => {
  const { request } = parse('codex-turn');
  assert.deepEqual(request.hostedTools, ['web_search']);
  assert.equal(request.providerState.store, false);
  assert.ok(outline(request).includes('assistant <sealed>'));
  assert.ok(outline(request).includes('tool: {"output":"1 failed"}'));
  assert.equal(outline(request)[0], 'system: You are a coding agent.');
  // Its own names for thread and turn, which no provider keeps.
  assert.deepEqual(request.providerState.references, []);
});

test('hosted tools and stored objects of a responses body are named (litellm#39548)', () => {
  const { request } = parse('openai-responses');
  assert.deepEqual(request.hostedTools, ['code_interpreter', 'file_search', 'mcp:docs', 'web_search']);
  assert.deepEqual(request.providerState.references, [
    { kind: 'vector_store', id: 'vs_1' },
    { kind: 'file', id: 'file_9' },
    { kind: 'response', id: 'resp_68a1' },
  ]);
});

test('items by reference and files are references and opaque', () => {
  const { request } = parse('openai-responses-stream-items');
  assert.deepEqual(outline(request), [
    'user: Read this',
    'user <file>',
    'user: file_1',
    'assistant: thought',
    'assistant <sealed>',
    'assistant: gAAAA',
    'assistant: rs_1',
    'assistant: {}',
    'assistant: c1',
    'assistant: f',
    'tool: done',
    'tool: c1',
    'user <item_reference>',
    'user: msg_1',
  ]);
  assert.deepEqual(request.providerState.references, [
    { kind: 'file', id: 'file_1' },
    { kind: 'item', id: 'msg_1' },
  ]);
});

test('images in messages and in tool results are opaque, and their data are not counted as text', () => {
  const { request, bytes } = parse('anthropic-messages-stream');
  assert.equal(request.counts.images, 1);
  assert.equal(request.counts.files, 1);
  assert.ok(request.counts.textBytes < bytes.length);
  assert.deepEqual(request.hostedTools, ['web_search_20250305']);
  assert.ok(outline(request).includes('tool: contents'));
});

test('a container, a skill, an MCP server and an uploaded file are seen in a beta body', () => {
  const { request } = parse('anthropic-beta');
  assert.deepEqual(request.hostedTools, ['container', 'mcp:docs']);
  assert.deepEqual(request.providerState.references, [
    { kind: 'file', id: 'file_7' },
    { kind: 'container', id: 'cont_1' },
    { kind: 'skill', id: 'skill_1' },
  ]);
});

test('best_of counts as many answers as are generated, and claims are labels', () => {
  assert.equal(parse('openai-completions').request.choices, 3);
  const { request } = parse('openai-chat');
  assert.equal(request.claimed.user, 'alice@example.com');
  assert.equal(request.claimed.metadata.get('ticket'), 'T-1');
  assert.equal(request.includeUsage, false);
  assert.equal(parse('openai-chat-stream-tools').request.includeUsage, true);
});
