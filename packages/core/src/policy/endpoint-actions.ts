// Owns which action an endpoint of the data plane is to policy: the one table, for the decision and its replay.

import type { EndpointId } from '../dialects/endpoints.ts';
import type { ActionName } from './actions.ts';

const actions: { readonly [E in EndpointId]: ActionName } = {
  chat: 'chat',
  responses: 'chat',
  messages: 'chat',
  response_compact: 'chat',
  response_object: 'chat',
  completions: 'complete',
  embeddings: 'embed',
  count_tokens: 'count_tokens',
  response_tokens: 'count_tokens',
  models: 'list_models',
  passthrough: 'passthrough',
};

/** The action that an endpoint is to policy. */
export function actionOf(endpoint: EndpointId): ActionName {
  return actions[endpoint];
}

/** Endpoints whose resource is a model: all but `passthrough`, whose resource is a route. */
export const modelEndpoints: readonly string[] = Object.keys(actions).filter((id) => id !== 'passthrough');

const byName: ReadonlyMap<string, ActionName> = new Map(Object.entries(actions));

/** The action of an endpoint that is known by its recorded name; undefined if it is none of ours. */
export function actionNamed(endpoint: string): ActionName | undefined {
  return byName.get(endpoint);
}

/** The same of an endpoint that asks for a model; undefined for `passthrough` too. */
export function actionOnModel(endpoint: string): ActionName | undefined {
  return endpoint === 'passthrough' ? undefined : byName.get(endpoint);
}
