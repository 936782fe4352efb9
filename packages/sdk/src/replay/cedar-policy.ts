// Owns reading a policy's Cedar text without a server: parsed by Cedar itself, compiled by our own rules.

import { createRequire } from 'node:module';
import { parseJson } from '@countersign/core/parse-json';
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

type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

function rulesOf(cedar: Cedar, text: string): readonly unknown[] | string {
  const split = cedar.policySetTextToParts(text);
  if (split.type === 'failure') return split.errors[0]?.message ?? 'no cedar text';
  const rules: unknown[] = [];
  for (const part of inOrder(split.policies)) {
    const answer = cedar.policyToJson(part);
    if (answer.type === 'failure') return answer.errors[0]?.message ?? 'not a rule';
    // What was published was compiled from JSON text; the same way gives the same rules.
    const rule: unknown = parseJson(JSON.stringify(answer.json));
    rules.push(rule);
  }
  return rules;
}

/**
 * A reader that compiles Cedar texts that were published. A text that was accepted once compiles to the same rules
 * again, if the stack is as large as it was then. It throws nothing: a text that exhausts the stack or traps is one
 * that cannot be used.
 */
export function openCedarReader(): ReadPolicy {
  const load = createRequire(import.meta.url);
  const file = load.resolve('@cedar-policy/cedar-wasm/nodejs');
  let held: Cedar | undefined;
  const cedarOf = (): Cedar => {
    const cedar: Cedar = held ?? load(file);
    held = cedar;
    return cedar;
  };
  return (text) => {
    try {
      const rules = rulesOf(cedarOf(), text);
      if (typeof rules === 'string') return { ok: false, reason: rules };
      const compiled = compilePolicy(rules);
      if (compiled.ok) return { ok: true, policy: compiled.policy };
      return { ok: false, reason: compiled.problems[0]?.message ?? 'it does not compile' };
    } catch (error) {
      // What was left by a trap or an overflow is in no state to read the next text: that gets an instance of its own.
      held = undefined;
      delete load.cache[file];
      return { ok: false, reason: error instanceof Error ? error.message : 'it cannot be read' };
    }
  };
}
