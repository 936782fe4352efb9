// Owns the list of models: only those that this principal may call, decided one by one like a call.

import { type ListedModel, renderModel, renderModels } from '@countersign/core/dialects/models-list';
import { contextOf } from '@countersign/core/directory/context';
import type { Model, Provider } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { ActorChain } from '@countersign/core/identity/actor';
import { decide } from '@countersign/core/policy/decide';
import { authenticate } from '../services/callers/authenticate.ts';
import { resolve } from '../services/callers/resolve.ts';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import { answerThrown } from './answer.ts';
import type { InboundCall, Reply } from './call.ts';
import type { GatewayDeps } from './deps.ts';
import { selectModel } from './steps/select-model.ts';

function listed(model: Model, provider: Provider, name: string, createdAtMs: number): ListedModel {
  return { id: name, displayName: model.name, createdAtMs, ownedBy: provider.name };
}

/** The time in a model's id (a UUIDv7 in base32): its creation, in milliseconds. */
function createdAt(id: string): number {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  let value = 0n;
  for (const letter of id.slice(id.indexOf('_') + 1)) value = value * 32n + BigInt(alphabet.indexOf(letter));
  return Number(value >> 80n);
}

/** Every model, by each of its names, that policy lets the actor see. */
function visible(
  deps: GatewayDeps,
  call: InboundCall,
  snapshot: OrgSnapshot,
  actor: ActorChain,
): readonly ListedModel[] {
  if (!actor.standing.permissions.has('models.call')) return [];
  const context = contextOf(snapshot.facts(actor).context, {
    endpoint: call.endpoint.id,
    dialect: call.endpoint.dialect,
    stream: false,
    maxOutput: undefined,
    hostedTools: [],
    actor,
    classification: undefined,
    network: deps.networksOf(snapshot, call.address),
    inputTokens: 0,
    claimed: { tags: [] },
    nowMs: deps.now(),
  });
  const principal = snapshot.principal(actor);
  const { rules } = snapshot.policy();
  const models: ListedModel[] = [];
  for (const name of [...snapshot.directory.modelsByName.keys()].sort()) {
    const selected = selectModel(snapshot, actor, name, call.endpoint.provider);
    if ('error' in selected) continue;
    const resource = snapshot.model(selected.model, selected.provider);
    const { outcome } = decide(rules, { principal, action: 'list_models', resource, context });
    if (outcome === 'allow')
      models.push(listed(selected.model, selected.provider, name, createdAt(selected.model.id)));
  }
  return models;
}

/** Answers with the models that the caller may call, or with one of them. Throws what refuses. */
async function answerModels(deps: GatewayDeps, call: InboundCall, reply: Reply): Promise<void> {
  const authenticated = await authenticate(deps, call);
  const { actor } = resolve(deps, call, authenticated, 'models');
  const models = visible(deps, call, authenticated.snapshot, actor);
  const { dialect } = call.endpoint;
  const wanted = call.endpoint.objectId;
  const one = wanted === undefined ? undefined : models.find(({ id }) => id === wanted);
  if (wanted !== undefined && one === undefined) {
    throw new AppError(
      'not_found',
      `model \`${wanted}\` is not one that you may call: \`GET /v1/models\` lists yours`,
    );
  }
  const text = one === undefined ? renderModels(dialect, models) : renderModel(dialect, one);
  const body = Buffer.from(text, 'utf8');
  reply.head(200, [
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
    'x-request-id',
    call.requestId,
  ]);
  reply.end(body);
}

/** Serves `GET /v1/models` and `/v1/models/{id}` in the caller's dialect. Reads leave no entry. */
export async function serveModels(deps: GatewayDeps, call: InboundCall, reply: Reply): Promise<void> {
  await answerModels(deps, call, reply).catch((thrown: unknown) => answerThrown(deps, call, reply, thrown));
}
