// Owns the check of the surface: which path is which endpoint, how refusals and lists of models look.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { errorCodes } from '../errors.ts';
import { isObject } from '../json.ts';
import { matchEndpoint } from './endpoints.ts';
import { renderError, renderStreamError, statusOf } from './errors.ts';
import { modelsDialect, renderModels } from './models-list.ts';

const listSchema = z.object({
  object: z.string().optional(),
  data: z.array(z.record(z.string(), z.unknown())),
});
function member(text: string, key: string): unknown {
  const value: unknown = JSON.parse(text);
  return isObject(value) ? value[key] : undefined;
}
const find = (method: string, path: string) => {
  const match = matchEndpoint(method, path);
  return match.kind === 'endpoint'
    ? `${match.endpoint.id} ${match.endpoint.dialect} ${match.endpoint.provider ?? '-'}`
    : match.kind;
};

test('paths and aliases lead to their endpoints', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['POST', '/v1/chat/completions', 'chat openai -'],
    ['POST', '/openai/v1/responses', 'responses openai -'],
    ['POST', '/anthropic/v1/messages', 'messages anthropic -'],
    ['POST', '/v1/messages/count_tokens', 'count_tokens anthropic -'],
    ['GET', '/anthropic/v1/models', 'models anthropic -'],
    ['GET', '/v1/models/org/name:free', 'models openai -'],
    ['GET', '/v1/responses/resp_1', 'response_object openai -'],
    ['DELETE', '/v1/responses/resp_1', 'response_object openai -'],
    ['POST', '/v1/responses/resp_1/cancel', 'response_object openai -'],
    ['GET', '/v1/responses/resp_1/input_items', 'response_object openai -'],
    ['POST', '/v1/responses/input_tokens', 'response_tokens openai -'],
    ['GET', '/v1/chat/completions', 'wrong_method'],
    ['GET', '/v1/responses/resp_1/cancel', 'wrong_method'],
    ['POST', '/providers/acme/v1/chat/completions', 'chat openai acme'],
    ['GET', '/providers/acme/v1/responses/resp_1', 'response_object openai acme'],
    ['POST', '/providers/acme/v1/audio/speech', 'passthrough openai acme'],
    ['POST', '/openai/v1/messages', 'none'],
    ['POST', '/V1/chat/completions', 'none'],
    ['POST', '/v1/chat/completions/', 'none'],
    ['POST', '//v1/chat/completions', 'none'],
    ['GET', '/providers/acme/../v1/files', 'none'],
    ['GET', '/providers/acme/v1/%2e%2e/files', 'none'],
    ['GET', '/providers/acme/v1/a%2Fb', 'none'],
    ['GET', '/providers/acme/v1/a\\b', 'none'],
    ['GET', '/providers/acme/v1/%66iles', 'none'],
    ['GET', '/v1/responses/..', 'none'],
    ['GET', '/v1/models/../files', 'none'],
    ['GET', `/providers/acme/${'a'.repeat(1_023)}`, 'passthrough openai acme'],
    ['GET', `/providers/acme/${'a'.repeat(1_024)}`, 'none'],
  ];
  for (const [method, path, expected] of table)
    assert.equal(find(method, path), expected, `${method} ${path}`);
});

test('every refusal has a status and a body in both dialects, and a 5xx is never a 200', () => {
  for (const code of errorCodes) {
    assert.ok(statusOf(code) >= 400);
    const openai = renderError('openai', code, 'no', 'req_1');
    assert.deepEqual(Object.keys(member(openai.body, 'error') ?? {}), ['message', 'type', 'param', 'code']);
    const anthropic = renderError('anthropic', code, 'no', 'req_1');
    assert.equal(member(anthropic.body, 'request_id'), 'req_1');
    assert.equal(anthropic.headers['request-id'], 'req_1');
  }
  const budget = renderError('openai', 'budget_exceeded', 'the budget `team` is spent', 'req_1', {
    retryAfterSeconds: 9.2,
  });
  assert.deepEqual(
    [budget.status, budget.headers['x-should-retry'], budget.headers['retry-after']],
    [429, 'false', '10'],
  );
  assert.equal(renderError('openai', 'rate_limited', 'x', 'r').headers['x-should-retry'], undefined);
  assert.deepEqual(
    [
      'policy_denied',
      'authentication_failed',
      'credential_conflict',
      'ledger_unavailable',
      'approval_required',
    ]
      .map((code) => errorCodes.find((known) => known === code))
      .map((code) => code && statusOf(code)),
    [403, 401, 400, 503, 403],
  );
});

test('an error inside a stream is one event, whatever its message says', () => {
  for (const [dialect, isResponses] of [
    ['openai', false],
    ['openai', true],
    ['anthropic', false],
  ] as const) {
    const text = renderStreamError(dialect, isResponses, 'policy_denied', 'a\n\ndata: [DONE]', 'req_1');
    assert.equal(text.indexOf('\n\n'), text.length - 2);
  }
});

test('models are listed in both shapes with real dates', () => {
  const days = [0, 951_782_400_000, 1_709_164_800_000, 1_798_675_199_000, 4_102_444_799_000];
  const models = days.map((createdAtMs) => ({
    id: `m${createdAtMs}`,
    displayName: 'M',
    createdAtMs,
    ownedBy: 'acme',
  }));
  const anthropic = listSchema.parse(JSON.parse(renderModels('anthropic', models)));
  assert.deepEqual(
    anthropic.data.map((m) => m.created_at),
    days.map((ms) => new Date(ms).toISOString().replace('.000Z', 'Z')),
  );
  const openai = listSchema.parse(JSON.parse(renderModels('openai', models)));
  assert.deepEqual(
    [openai.object, openai.data[0]],
    ['list', { id: 'm0', object: 'model', created: 0, owned_by: 'acme' }],
  );
  assert.equal(renderModels('anthropic', []), '{"data":[],"has_more":false,"first_id":null,"last_id":null}');
  assert.equal(modelsDialect('openai', true), 'anthropic');
});
