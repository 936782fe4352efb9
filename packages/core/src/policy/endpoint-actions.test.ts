// Tests that the table of actions and the joining of decisions leave nothing open.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelActions } from './actions.ts';
import { actionNamed, actionOf, actionOnModel, modelEndpoints } from './endpoint-actions.ts';
import { type Allow, strictest, substituted } from './strictest.ts';
import type { Decision } from './types.ts';

test('an endpoint that is known by name has the action that its type has', () => {
  assert.equal(actionOnModel('messages'), actionOf('messages'));
  assert.equal(actionNamed('messages'), actionOf('messages'));
  assert.equal(actionNamed('passthrough'), actionOf('passthrough'));
  const used = new Set<string | undefined>(modelEndpoints.map(actionOnModel));
  assert.deepEqual([...used, 'passthrough'].sort(), [...modelActions].sort());
});

test('whatever answers a prompt is a chat to policy, and nothing that does is a count', () => {
  for (const endpoint of ['chat', 'responses', 'messages', 'response_compact', 'response_object'] as const)
    assert.equal(actionOf(endpoint), 'chat', endpoint);
  const counting = modelEndpoints.filter((endpoint) => actionOnModel(endpoint) === 'count_tokens');
  assert.deepEqual(counting.sort(), ['count_tokens', 'response_tokens']);
});

test('a name that asks for no model has no action', () => {
  for (const name of ['passthrough', '', 'toString', '__proto__', 'Chat']) {
    assert.equal(actionOnModel(name), undefined, name);
    if (name !== 'passthrough') assert.equal(actionNamed(name), undefined, name);
  }
});

const allow: Allow = {
  outcome: 'allow',
  policyIds: ['a'],
  obligations: { redact: [], content: undefined, model: undefined, maxTokens: undefined },
  errors: [],
};
const ask: Decision = { outcome: 'requestable', policyIds: ['r'], errors: [] };
const deny: Decision = { outcome: 'deny', reason: 'forbid', policyIds: ['d'], errors: [] };

const all: readonly Decision[] = [allow, ask, deny];

test('joining decisions never opens what one of them closes, in either order', () => {
  const rank = { allow: 0, requestable: 1, deny: 2 };
  for (const first of all) {
    for (const second of all) {
      const { outcome } = strictest(first, second);
      assert.equal(rank[outcome], Math.max(rank[first.outcome], rank[second.outcome]));
    }
  }
});

test('two permits apply together: obligations unite, and two models deny', () => {
  const permit = (model: string | undefined, maxTokens: number): Decision => ({
    ...allow,
    policyIds: [String(maxTokens)],
    obligations: { redact: ['email'], content: undefined, model, maxTokens },
  });
  const joined = strictest(permit('small', 100), permit(undefined, 50));
  assert.equal(joined.outcome, 'allow');
  assert.deepEqual(joined.policyIds, ['100', '50']);
  assert.deepEqual(joined.outcome === 'allow' && joined.obligations, {
    redact: ['email'],
    content: undefined,
    model: 'small',
    maxTokens: 50,
  });
  const torn = strictest(permit('small', 1), permit('large', 1));
  assert.equal(torn.outcome === 'deny' && torn.reason, 'obligation_conflict');
});

test('a call that goes to another model is allowed by the rules that allow that one, under its name', () => {
  const permit = (id: string, model: string | undefined, maxTokens: number) => ({
    ...allow,
    policyIds: [id],
    obligations: { redact: [id], content: undefined, model, maxTokens },
  });
  const joined = substituted(permit('a', 'small', 100), permit('b', 'tiny', 200), 'small');
  assert.ok(joined.outcome === 'allow');
  assert.deepEqual(joined.policyIds, ['b']);
  const obligations = { redact: ['a', 'b'], content: undefined, model: 'small', maxTokens: 100 };
  assert.deepEqual(joined.obligations, obligations);
});
