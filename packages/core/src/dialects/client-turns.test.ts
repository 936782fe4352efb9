// Claims that the later turns of coding clients, with tools, reasoning and schemas, hold nothing but what their providers sealed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify } from '../classify/classification.ts';
import type { EndpointId } from './endpoints.ts';
import { parseInferenceRequest } from './inference-request.ts';
import { defaultParseLimits } from './request-types.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const deps = {
  decodeUtf8: (bytes: Uint8Array) => decoder.decode(bytes),
  limits: defaultParseLimits,
};

const uuid = '0199e0b4-4155-7cf3-a8a5-9e21deb1712b';
const hex = 'c0ffee42'.repeat(8);
const sealed = `gAAAAABo${'aZ9_kQ2-mX7pLw4R'.repeat(60)}`;
const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    email: { type: 'string', format: 'email', pattern: '^[^@]+@[^@]+\\.[^@]+$' },
    phone: { type: 'string', pattern: '^\\+?[1-9]\\d{1,14}$', maxLength: 600_000 },
    birth_date: { type: 'string', format: 'date' },
    id: { type: 'string', format: 'uuid', enum: [uuid] },
    code: { enum: [1_000_000, 1_234_567_890] },
  },
  required: ['email'],
  additionalProperties: false,
};

const claudeCode = {
  model: 'a',
  max_tokens: 32_000,
  stream: true,
  metadata: { user_id: `user_${hex}_account_${uuid}_session_${uuid}` },
  system: [{ type: 'text', text: 'Today is 2025-10-12.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
  tools: [{ name: 'mcp__crm__create_contact', description: 'Adds one', input_schema: schema }],
  thinking: { type: 'enabled', budget_tokens: 31_999 },
  context_management: { edits: [{ type: 'clear_tool_uses_20250919', trigger: { value: 180_000 } }] },
  output_config: { effort: 'high', format: { type: 'json_schema', schema } },
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'fix it', cache_control: { type: 'ephemeral' } }] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Look.', signature: 'EqQBCkYIBRgCKkD3'.repeat(25) },
        { type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3p'.repeat(90) },
        { type: 'tool_use', id: 'toolu_01A09q90qw90lq917835lq9x', name: 'Bash', input: { timeout: 120_000 } },
      ],
    },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_01A09q90qw90lq917835lq9x', content: 'ok' }],
    },
  ],
};

const codex = {
  model: 'a',
  instructions: 'You are a coding agent.',
  input: [
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'fix it' }] },
    { type: 'reasoning', id: `rs_${hex.slice(0, 50)}`, summary: [], encrypted_content: sealed },
    {
      type: 'function_call',
      id: `fc_${hex.slice(0, 50)}`,
      call_id: 'call_aB3aB3aB3aB3aB3aB3aB3aB3',
      name: 'shell',
      arguments: '{"command":["ls"],"timeout_ms":120000}',
    },
    { type: 'function_call_output', call_id: 'call_aB3aB3aB3aB3aB3aB3aB3aB3', output: '{"exit_code":0}' },
    {
      type: 'custom_tool_call',
      id: 'ctc_1',
      call_id: 'call_2',
      name: 'apply_patch',
      input: '*** Begin Patch',
    },
  ],
  tools: [{ type: 'function', name: 'shell', parameters: schema, strict: false }, { type: 'local_shell' }],
  reasoning: { effort: 'medium', summary: 'auto' },
  store: false,
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: uuid,
  text: { verbosity: 'low', format: { type: 'json_schema', name: 'plan', schema } },
  client_metadata: { 'x-codex-installation-id': uuid, session_id: uuid, thread_id: uuid },
};

const chat = {
  model: 'a',
  messages: [
    { role: 'user', content: 'fix it' },
    {
      role: 'assistant',
      content: null,
      refusal: null,
      audio: null,
      tool_calls: [
        {
          index: 0,
          id: 'call_Zx9Zx9Zx9Zx9Zx9Zx9Zx9Zx9',
          type: 'function',
          function: { name: 'read', arguments: '{}' },
        },
      ],
    },
    { role: 'tool', tool_call_id: 'call_Zx9Zx9Zx9Zx9Zx9Zx9Zx9Zx9', name: 'read', content: 'text' },
    { role: 'assistant', content: 'done', reasoning_content: 'so it is' },
  ],
  tools: [{ type: 'function', function: { name: 'read', parameters: schema } }],
  logit_bias: { 50256: -100, 100257: 5 },
  seed: 4_111_111_111_111_111,
  user: hex,
  metadata: { trace_id: hex, at: '1730000000000' },
  response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } },
};

const turns: readonly (readonly [string, EndpointId, object, readonly string[]])[] = [
  ['Claude Code', 'messages', claudeCode, ['provider_sealed']],
  ['Codex', 'responses', codex, ['provider_sealed']],
  ['a client of the chat completions', 'chat', chat, []],
];

for (const [name, id, body, labels] of turns) {
  test(`a later turn of ${name} names nothing that is kept and holds nothing to be found`, () => {
    const dialect = id === 'messages' ? 'anthropic' : 'openai';
    const endpoint = { id, dialect, providerPath: '/', provider: undefined, objectId: undefined } as const;
    const request = parseInferenceRequest(endpoint, new TextEncoder().encode(JSON.stringify(body)), deps);
    assert.ok(request.kind === 'request', JSON.stringify(request));
    const parts = request.parts.map((part) => {
      if (part.kind === 'text') return part;
      return part.reason === 'sealed'
        ? ({ kind: 'sealed' } as const)
        : ({ kind: 'opaque', reason: 'unknown' } as const);
    });
    assert.deepEqual(classify(parts, undefined).labels, labels);
    assert.deepEqual(
      [request.providerState.references, request.hostedTools, request.otherModels],
      [[], [], []],
    );
  });
}
