// Claims about what of a message is opaque, sealed or read: decoys beside a file, results of hosted tools, reasoning.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointId } from './endpoints.ts';
import { parseInferenceRequest } from './inference-request.ts';
import { defaultParseLimits, type InferenceRequest } from './request-types.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => decoder.decode(bytes);

function accept(id: EndpointId, body: object): InferenceRequest {
  const dialect = id === 'messages' ? 'anthropic' : 'openai';
  const endpoint = { id, dialect, providerPath: '/', provider: undefined, objectId: undefined } as const;
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const request = parseInferenceRequest(endpoint, bytes, { decodeUtf8, limits: defaultParseLimits });
  assert.ok(request.kind === 'request', JSON.stringify(request));
  return request;
}

function reasonsOf({ parts }: InferenceRequest): readonly string[] {
  return parts.flatMap((part) => (part.kind === 'opaque' ? [part.reason] : []));
}

const said = (...content: readonly object[]) => accept('chat', { model: 'a', messages: [{ content }] });
const answered = (...content: readonly object[]) =>
  accept('messages', { model: 'a', max_tokens: 9, messages: [{ role: 'assistant', content }] });
const given = (...input: readonly object[]) => accept('responses', { model: 'a', input });

const base64 = 'iVBORw0KGgo'.repeat(200);
const pdf = `data:application/pdf;base64,${'JVBERi0xLjcK'.repeat(200)}`;
const text = { type: 'text', media_type: 'text/plain', data: 'hello' };

const decoys: readonly object[] = [
  { type: 'file', file: { file_data: pdf }, source: { type: 'text' } },
  { type: 'file', file: { file_data: pdf }, source: text },
  { type: 'input_file', file_data: pdf, source: text },
  { type: 'input_file', file_url: 'https://host.example/a.pdf', source: text },
  { type: 'input_file', file_id: 'file_1', source: text },
  { type: 'document', source: text, file: { file_data: pdf } },
  { type: 'document', source: text, image_url: 'https://host.example/a.png' },
  { type: 'document', source: { ...text, url: 'https://host.example/a.pdf' } },
  { type: 'document', source: { ...text, file_id: 'file_1' } },
  { type: 'document', source: { ...text, media_type: 'application/pdf' } },
  { type: 'document', source: { type: 'text' } },
  { type: 'document', source: { type: 'content', data: pdf } },
];
for (const part of decoys) {
  test(`a readable source beside something else makes no file readable: ${JSON.stringify(part).slice(0, 90)}`, () => {
    for (const request of [said(part), answered(part), given({ role: 'user', content: [part] })])
      assert.ok(reasonsOf(request).some((reason) => reason === 'file' || reason === 'document'));
  });
}

test('a document of text is read, and so is what is said in a source that is not media', () => {
  const document = { type: 'document', source: text, title: 'T', citations: { enabled: true } };
  const read = answered(document, { type: 'document', source: { type: 'content', content: 'c' } });
  assert.deepEqual(reasonsOf(read), []);
  assert.deepEqual(
    read.parts.map((part) => part.kind === 'text' && part.text),
    ['hello', 'T', 'c'],
  );
  for (const source of [
    { type: 'content', data: 'words' },
    { type: 'text', data: 'a', file_data: 'words' },
    { type: 'text', data: 'a', format: 'words' },
  ]) {
    const { parts } = answered({ type: 'document', source });
    assert.ok(parts.some((part) => part.kind === 'text' && part.text === 'words'));
  }
});

const result = (type: string, content: unknown) => ({ type, tool_use_id: 's', content });
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo' } };
const fetched = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: base64 } };

test('pictures, files and inline data in the results of hosted tools are opaque', () => {
  for (const part of [
    result('web_fetch_tool_result', { type: 'web_fetch_result', url: 'u', content: fetched }),
    result('code_execution_tool_result', { stdout: '', content: [image] }),
    result('web_search_tool_result', [{ type: 'web_search_result', encrypted_content: 'not sealed' }]),
    result('code_execution_tool_result', { stdout: '', content: [{ type: 'base64', data: 'AAAA' }] }),
  ])
    assert.deepEqual(reasonsOf(answered(part)), ['unknown_type']);
  for (const item of [
    { type: 'mcp_call', id: 'm', server_label: 's', output: 'data:image/png;base64,iVBOR' },
    { type: 'mcp_call', id: 'm', server_label: 's', output: '[{"image":"data:image/png;base64,iVBOR"}]' },
    {
      type: 'code_interpreter_call',
      id: 'c',
      code: 'x',
      outputs: [{ type: 'image', url: 'https://h.example/1' }],
    },
  ])
    assert.deepEqual(reasonsOf(given(item)), ['unknown_type']);
});

test('text in the results of hosted tools is only read', () => {
  const page = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'page' } };
  const part = result('web_fetch_tool_result', { type: 'web_fetch_result', url: 'u', content: page });
  assert.deepEqual(reasonsOf(answered(part)), []);
  assert.deepEqual(reasonsOf(given({ type: 'mcp_call', id: 'm', output: 'plain' })), []);
});

const sealed = 'EqQBCkYIBRgCKkDf8s'.repeat(20);

test('what a provider sealed itself is sealed where it expects it, and no longer opaque', () => {
  for (const part of [
    { type: 'thinking', thinking: '', signature: sealed },
    { type: 'thinking', thinking: 'so', signature: sealed },
    { type: 'redacted_thinking', data: sealed },
    { type: 'compaction', encrypted_content: sealed },
    result('web_search_tool_result', [{ type: 'web_search_result', encrypted_content: sealed }]),
  ])
    assert.deepEqual(reasonsOf(answered(part)), ['sealed']);
  for (const type of ['reasoning', 'compaction'])
    assert.deepEqual(reasonsOf(given({ type, id: 'r', encrypted_content: sealed })), ['sealed']);
});

test('what has another form than sealed data, or stands elsewhere, stays opaque', () => {
  for (const part of [
    { type: 'thinking', thinking: '', signature: pdf },
    { type: 'thinking', thinking: '', signature: `JVBERi0${sealed}` },
    { type: 'thinking', thinking: '', signature: [sealed] },
    { type: 'thinking', thinking: '' },
    { type: 'redacted_thinking', data: 'plain words' },
    { type: 'redacted_thinking' },
  ])
    assert.deepEqual(reasonsOf(answered(part)), ['encrypted']);
  const long = sealed.repeat(4);
  assert.deepEqual(reasonsOf(answered({ type: 'text', text: 'x', signature: long })), ['unknown_type']);
  assert.deepEqual(reasonsOf(given({ type: 'reasoning', id: 'r', encrypted_content: 'a b' })), ['encrypted']);
});

test('a short text in the place of sealed data is read as well: it could be a key', () => {
  const { parts } = answered({ type: 'thinking', thinking: '', signature: 'sk-ant-short' });
  assert.ok(parts.some((part) => part.kind === 'text' && part.text === 'sk-ant-short'));
});

test('controls part no letters in the JSON text of an argument either, and what stays is JSON', () => {
  const input = { a: 'SEC\u0007R\bE\fT \\b \\u0007 \n"', 'k\u0000ey': 1 };
  const { parts } = answered({ type: 'tool_use', name: 'f', input });
  const [part] = parts;
  assert.ok(part?.kind === 'text' && part.structured);
  assert.deepEqual(JSON.parse(part.text), { a: 'SECRET \\b \\u0007 \n"', key: 1 });
});
