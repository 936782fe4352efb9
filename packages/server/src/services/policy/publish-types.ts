// Owns the shapes of a policy check: what the worker is asked and what it answers.

import { z } from 'zod';

/** A place in the text, from 1; columns count characters. `help` says what to do, where something is known. */
export const policyProblem = z.object({
  line: z.number().int().positive(),
  column: z.number().int().positive(),
  message: z.string(),
  help: z.string().optional(),
});
export type PolicyProblem = z.infer<typeof policyProblem>;

export const policyCheckResult = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    /** SHA-256 of the text as UTF-8, in hex. */
    hash: z.string(),
    /** JSON text: the list of rules in Cedar's JSON form, in the order of the text; `compilePolicy` takes it. */
    compiled: z.string(),
    rules: z.number().int().nonnegative(),
    /** The text as Cedar's formatter writes it; comments are kept. */
    formatted: z.string(),
    warnings: z.array(policyProblem),
    /** How many random requests the compiled rules and Cedar answered alike. */
    compared: z.number().int().nonnegative(),
  }),
  z.object({ ok: z.literal(false), problems: z.array(policyProblem).min(1) }),
]);
export type PolicyCheckResult = z.infer<typeof policyCheckResult>;

export const policyCheckTask = z.object({
  text: z.string(),
  /** Labels of the organization's own classifiers. */
  labels: z.array(z.string()),
  /** Names of the organization's models. */
  models: z.array(z.string()),
  seed: z.number().int().nonnegative(),
});
export type PolicyCheckTask = z.infer<typeof policyCheckTask>;
