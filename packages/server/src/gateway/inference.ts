// Owns a model request, and whatever else is forwarded to a provider: this list of steps, and nothing else.

import { parseInferenceRequest } from '@countersign/core/dialects/inference-request';
import { defaultParseLimits, type InferenceRequest } from '@countersign/core/dialects/request-types';
import { AppError } from '@countersign/core/errors';
import { authenticate } from '../services/callers/authenticate.ts';
import { resolve } from '../services/callers/resolve.ts';
import type { Asked } from './admit.ts';
import { answerThrown } from './answer.ts';
import { attemptCall } from './attempt.ts';
import type { InboundCall, Reply } from './call.ts';
import type { GatewayDeps } from './deps.ts';
import { besideBody, checkBodyType } from './steps/beside-body.ts';
import { utf8 } from './steps/obligations.ts';
import { readPassedBody } from './steps/passed-body.ts';
import { checkProviderState, namesState, nothingNamed } from './steps/provider-state.ts';
import { readQuery } from './steps/query.ts';

/** Parses the body once; what policy sees and what is sent are the same bytes. */
function parse(call: InboundCall, body: Uint8Array): InferenceRequest {
  checkBodyType(call, body);
  const parsed = parseInferenceRequest(call.endpoint, body, {
    decodeUtf8: utf8.decodeUtf8,
    limits: defaultParseLimits,
  });
  if (parsed.kind === 'refusal') throw new AppError(parsed.code, parsed.message);
  const read = call.endpoint.id === 'passthrough' ? readPassedBody(call, body, parsed) : parsed;
  const queried = readQuery(call.query);
  const parts = [...read.parts, ...besideBody(call)];
  if (queried.length === 0) return { ...read, parts };
  return { ...read, parts, otherModels: [...new Set([...read.otherModels, ...queried])].sort() };
}

/**
 * Serves one model request from its head to its last byte. Never rejects: what goes wrong is answered. What is nearly
 * always there at once is waited for only where it is not: each wait is a promise, and a turn of its own.
 */
export async function serveInference(deps: GatewayDeps, call: InboundCall, reply: Reply): Promise<void> {
  deps.rounds.enter();
  try {
    const known = authenticate(deps, call);
    const authenticated = known instanceof Promise ? await known : known;
    // A credential that has ended is refused before its body is read.
    const { actor } = resolve(deps, call, authenticated, 'models');
    const read = call.readBody();
    const body = read instanceof Promise ? await read : read;
    await deps.rounds.next();
    const request = parse(call, body);
    const state = namesState(call, request)
      ? await checkProviderState(deps, authenticated.snapshot, actor, call, request)
      : nothingNamed;
    const asked: Asked = { call, authenticated, request, body, ...state };
    const isRetried = await attemptCall(deps, asked, reply, 1);
    if (isRetried) await attemptCall(deps, asked, reply, 2);
  } catch (thrown) {
    answerThrown(deps, call, reply, thrown);
  } finally {
    deps.rounds.leave();
  }
}
