// Owns making a stored policy ready to decide.

import { AppError } from '@countersign/core/errors';
import { parseJson } from '@countersign/core/parse-json';
import { type CompiledPolicy, compilePolicy } from '@countersign/core/policy/compile';

/** A policy as the store keeps it: `compiled` is the checked JSON form. */
export type PolicySource = {
  readonly version: number;
  readonly hash: string;
  readonly text: string;
  readonly compiled: string;
};

export type ActivePolicy = {
  readonly version: number;
  readonly hash: string;
  readonly text: string;
  readonly rules: CompiledPolicy;
};

/** Compiles a stored policy. Throws `internal` when it does not compile: what was published once must. */
export function activatePolicy(source: PolicySource): ActivePolicy {
  const est: unknown = parseJson(source.compiled);
  if (!Array.isArray(est)) throw new AppError('internal', 'the stored policy is not a list of rules');
  const result = compilePolicy(est);
  if (!result.ok)
    throw new AppError('internal', `the stored policy of version ${source.version} does not compile`);
  return { version: source.version, hash: source.hash, text: source.text, rules: result.policy };
}
