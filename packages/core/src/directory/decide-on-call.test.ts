// Claims about a decision that is taken again: the strictest over the route, each model and each tool that a call asks for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { makeId } from '../ids.ts';
import { type CompiledPolicy, compilePolicy } from '../policy/compile.ts';
import { entityView } from '../policy/entity.ts';
import { type Destination, decideOnCall, sealedElsewhere } from './decide-on-call.ts';
import { emptyDirectory } from './directory.ts';
import type { Model, Provider } from './objects.ts';

const bytes = (n: number): Uint8Array => new Uint8Array(10).fill(n);
const directory = emptyDirectory(makeId('org', 1, bytes(1)));
const principal = entityView('User', 'u', [], {});

const provider: Provider = {
  ...{ id: makeId('provider', 1, bytes(2)), name: 'p', kind: 'openai', external: true, status: 'active' },
  ...{ timeouts: { connectMs: 100, firstByteMs: 100, idleMs: 100 }, retryStatuses: [] },
};
const to = (name: string): Destination & { readonly model: Model } => ({
  provider,
  model: {
    ...{ id: makeId('model', 1, bytes(name.length + 2)), name, aliases: [], upstreamName: name },
    ...{ providerId: provider.id, status: 'active' },
  },
});

function compiled(...rules: readonly string[]): CompiledPolicy {
  const result = compilePolicy(
    ['permit(principal, action, resource);', ...rules].map((text) => {
      const answer = cedar.policyToJson(text);
      return answer.type === 'success' ? answer.json : assert.fail(JSON.stringify(answer));
    }),
  );
  assert.ok(result.ok);
  return result.policy;
}

const forbidden = (action: string, name: string) =>
  `forbid(principal, action == Action::"${action}", resource) when { resource has name && resource.name == "${name}" };`;

/** What is decided of a call by its endpoint, where it goes and what else its body names. */
function outcome(
  rule: string,
  endpoint: string,
  first: Destination,
  others: readonly Destination[] = [],
  hostedTools: readonly string[] = [],
) {
  const question = { directory, principal, rules: compiled(rule), context: { hostedTools } };
  const target = { endpoint, method: 'POST', route: '/v1/x' };
  return decideOnCall({ ...question, target }, first, others)?.outcome;
}

test('a body that is passed through and names a model is a chat with that model', () => {
  const rule = forbidden('chat', 'bad');
  assert.equal(outcome(rule, 'passthrough', to('bad')), 'deny');
  assert.equal(outcome(rule, 'passthrough', to('good')), 'allow');
  assert.equal(outcome(rule, 'passthrough', { model: undefined, provider }), 'allow');
  assert.equal(outcome(rule, 'passthrough', to('good'), [to('bad')]), 'deny');
});

test('each further model is asked for by the action of the endpoint', () => {
  const rule = forbidden('embed', 'bad');
  assert.equal(outcome(rule, 'embeddings', to('good'), [to('fine'), to('bad')]), 'deny');
  assert.equal(outcome(rule, 'chat', to('good'), [to('fine'), to('bad')]), 'allow');
});

test('each hosted tool is asked for, and the route of what is passed through', () => {
  const rule = forbidden('use_hosted_tool', 'web_search');
  assert.equal(outcome(rule, 'chat', to('good'), [], ['code', 'web_search']), 'deny');
  assert.equal(outcome(rule, 'chat', to('good'), [], ['code']), 'allow');
  const route = 'forbid(principal, action, resource is Route) when { resource.path == "/v1/x" };';
  assert.equal(outcome(route, 'passthrough', to('good')), 'deny');
  assert.equal(outcome(route, 'chat', to('good')), 'allow');
});

test('an endpoint that is none of ours, and one that lacks its model, have no decision', () => {
  const rule = forbidden('chat', 'bad');
  assert.equal(outcome(rule, 'toString', to('good')), undefined);
  assert.equal(outcome(rule, 'chat', { model: undefined, provider }), undefined);
});

test('what a provider sealed is elsewhere at each provider that opens none of its own', () => {
  const of = (kind: Provider['kind'], labels: unknown) => sealedElsewhere(labels, { ...provider, kind });
  for (const [kind, isElsewhere] of [
    ['openai', false],
    ['anthropic', false],
    ['openai_compatible', true],
    ['sandbox', true],
  ] as const)
    assert.equal(of(kind, ['email', 'provider_sealed']), isElsewhere, kind);
  assert.equal(of('sandbox', ['email']) || of('sandbox', undefined), false);
});
