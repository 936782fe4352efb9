// Owns the closed list of actions that a decision can be about.

/** Calls of a model, grouped under `Action::"call_model"`. */
export const modelActions = [
  'chat',
  'complete',
  'embed',
  'count_tokens',
  'list_models',
  'passthrough',
] as const;

/** Every action a decision can be about. `call_model` is a group: no request carries it. */
export const actionNames = [
  ...modelActions,
  'call_tool',
  'use_hosted_tool',
  'delegate',
  'exchange_token',
] as const;

export type ActionName = (typeof actionNames)[number];
