// Owns reading a policy's Cedar text without a server: parsed by Cedar itself, compiled by our own rules.

import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { compilePolicy } from '@countersign/core/policy/compile';
import type { ReadPolicy } from './fold.ts';

/** Rules in the order of the text: Cedar returns them in the alphabetical order of `policy0`, `policy1`, `policy10`. */
function inOrder(parts: readonly string[]): readonly string[] {
  const places = parts
    .map((_, i) => `policy${i}`)
    .sort()
    .map((id) => Number(id.slice('policy'.length)));
  return parts
    .map((part, i) => ({ part, place: places[i] ?? i }))
    .sort((a, b) => a.place - b.place)
    .map(({ part }) => part);
}

/** Compiles a Cedar text that was published. A text that was accepted once compiles to the same rules again. */
export const readCedarPolicy: ReadPolicy = (text) => {
  const split = cedar.policySetTextToParts(text);
  if (split.type === 'failure') return { ok: false, reason: split.errors[0]?.message ?? 'no cedar text' };
  const rules: unknown[] = [];
  for (const part of inOrder(split.policies)) {
    const answer = cedar.policyToJson(part);
    if (answer.type === 'failure') return { ok: false, reason: answer.errors[0]?.message ?? 'not a rule' };
    // What was published was compiled from JSON text; the same way gives the same rules.
    const rule: unknown = JSON.parse(JSON.stringify(answer.json));
    rules.push(rule);
  }
  const compiled = compilePolicy(rules);
  if (compiled.ok) return { ok: true, policy: compiled.policy };
  return { ok: false, reason: compiled.problems[0]?.message ?? 'it does not compile' };
};
