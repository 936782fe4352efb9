// Owns what follows from one actor chain in one version: for a key's chain it is made once.

import { type ActorContext, actorContext } from '@countersign/core/directory/context';
import type { Directory } from '@countersign/core/directory/directory';
import type { Model } from '@countersign/core/directory/objects';
import type { ActorChain } from '@countersign/core/identity/actor';
import type { Fragment } from '@countersign/core/ledger/canonical';
import type { CallDimensions } from '@countersign/core/metering/dimensions';

/** A model that a call may run, if it names one. */
type Chosen = { readonly model: Model | undefined };

export type ActorFacts = {
  /** What the context of every call says of the actor. */
  readonly context: ActorContext;
  /** The cost centre of its calls: the key's own, else that of who calls. */
  readonly costCentre: string | undefined;
  /** What a call of a model, or of none, is counted under; `others` are models that may run instead or beside. */
  readonly dimensions: (model: Model | undefined, others: readonly Chosen[]) => CallDimensions;
  /** The actor as it stands in entries, once it was rendered. */
  rendered: Fragment | undefined;
};

/** Actors whose facts are kept at most. */
const mostActors = 100_000;

function costCentreOf(directory: Directory, actor: ActorChain): string | undefined {
  const key = actor.keyId === undefined ? undefined : directory.tables.key.get(actor.keyId);
  return key?.costCentre ?? actor.standing.costCentre;
}

/** A class, for memory: there is one for each key in use. */
class Facts implements ActorFacts {
  readonly context: ActorContext;
  readonly costCentre: string | undefined;
  rendered: Fragment | undefined;
  readonly #actor: ActorChain;
  /** Of the model that was asked for last: most keys call one. */
  #last: CallDimensions | undefined;

  constructor(directory: Directory, actor: ActorChain) {
    this.context = actorContext(directory, actor);
    this.costCentre = costCentreOf(directory, actor);
    this.rendered = undefined;
    this.#actor = actor;
  }

  dimensions(model: Model | undefined, others: readonly Chosen[]): CallDimensions {
    if (others.length > 0) {
      const otherModelIds = others.flatMap((other) => other.model?.id ?? []);
      return { ...this.dimensions(model, []), otherModelIds };
    }
    const last = this.#last;
    if (last !== undefined && last.modelId === model?.id) return last;
    const actor = this.#actor;
    this.#last = {
      principalIds: [actor.principalId, ...actor.agents],
      keyId: actor.keyId,
      teamIds: actor.standing.teams,
      workspaceId: actor.standing.workspaceId,
      costCentre: this.costCentre,
      modelId: model?.id,
    };
    return this.#last;
  }
}

/**
 * Facts of actors in one version of the directory. INVARIANT: thrown away when the version advances, and kept only
 * under the very chain that a key resolved to: nothing of a token, which belongs to a request.
 */
export function createActorFacts(directory: Directory): (actor: ActorChain) => ActorFacts {
  const known = new Map<ActorChain, ActorFacts>();
  return (actor) => {
    if (actor.token !== undefined) return new Facts(directory, actor);
    const facts = known.get(actor);
    if (facts !== undefined) return facts;
    const made = new Facts(directory, actor);
    if (known.size < mostActors) known.set(actor, made);
    return made;
  };
}
