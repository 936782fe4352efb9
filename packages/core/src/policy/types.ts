// Owns the shapes of a decision: what goes in, what comes out.

import type { ActionName } from './actions.ts';

/** A reference to an entity, in Cedar's JSON form. */
export type EntityRef = { readonly __entity: { readonly type: string; readonly id: string } };
/** An extension value (`ip`, `decimal`), in Cedar's JSON form. */
export type ExtensionRef = { readonly __extn: { readonly fn: string; readonly arg: string } };
/** A record. A member that is `undefined` counts as absent, so that objects can keep one fixed shape. */
export type Attributes = { readonly [name: string]: Value | undefined };
/**
 * An attribute's value: Cedar's JSON form, so that a request can be recorded and replayed as it is.
 * Arrays are sets. Numbers are safe integers: anything else makes the rule that reads it err.
 */
export type Value = boolean | number | string | readonly Value[] | EntityRef | ExtensionRef | Attributes;

/** A principal or a resource with all its ancestors. Made once per snapshot by `entityView`, then shared. */
export type EntityView = {
  readonly type: string;
  readonly id: string;
  /** `uidKey(type, id)` */
  readonly uid: string;
  /** Keys of all ancestors (transitive closure), without the entity itself. */
  readonly ancestors: ReadonlySet<string>;
  readonly attributes: Attributes;
};

/** The request's context; the schema explains each member. */
export type RequestContext = {
  readonly workspace: EntityRef;
  readonly workspaceName: string;
  readonly endpoint: string;
  readonly dialect: string;
  readonly stream: boolean;
  readonly labels: readonly string[];
  readonly counts: { readonly total: number; readonly [label: string]: number | undefined };
  readonly opaque: boolean;
  readonly tokens: number;
  readonly maxOutput?: number | undefined;
  readonly hostedTools: readonly string[];
  readonly otherModels?: readonly string[] | undefined;
  readonly time: { readonly epoch: number; readonly hour: number; readonly weekday: number };
  readonly network: readonly string[];
  readonly authentication: {
    readonly proof: string;
    readonly amr: readonly string[];
    readonly strength: number;
    readonly age?: number | undefined;
  };
  readonly key?:
    | {
        readonly id: string;
        readonly environment?: string | undefined;
        readonly costCentre?: string | undefined;
      }
    | undefined;
  readonly application?: { readonly id: string; readonly name: string } | undefined;
  readonly customer?: string | undefined;
  readonly agent?:
    | {
        readonly id: string;
        readonly name?: string | undefined;
        readonly chain: readonly string[];
        readonly depth: number;
        readonly trust?: number | undefined;
        readonly assurance?: string | undefined;
      }
    | undefined;
  readonly elevation?: { readonly role: string; readonly remaining: number } | undefined;
  readonly run?:
    | {
        readonly id: string;
        readonly labels: readonly string[];
        readonly integrity: number;
        readonly calls: number;
        readonly spend: number;
        readonly toolsUsed: readonly string[];
        readonly sources: readonly string[];
      }
    | undefined;
  readonly approval?: { readonly id: string; readonly approver: string; readonly age: number } | undefined;
  readonly claimed: {
    readonly user?: string | undefined;
    readonly task?: string | undefined;
    readonly tags: readonly string[];
  };
};

/** What `decide` reads. `C` is `RequestContext` in the product; tests and replay may bring any record. */
export type DecisionRequest<C extends Attributes = RequestContext, A extends string = ActionName> = {
  readonly principal: EntityView;
  readonly action: A;
  readonly resource: EntityView;
  readonly context: C;
};

/** A decision's input of any shape: what the evaluators accept. */
export type AnyRequest = DecisionRequest<Attributes, string>;

/** A rule that could not be evaluated for this request. */
export type PolicyError = { readonly policyId: string; readonly message: string };

/** How much of a call's content is kept, strictest first. */
export const contentRules = ['none', 'commitment', 'sealed'] as const;
export type ContentRule = (typeof contentRules)[number];

/** What an allowed call must undergo: the union over all satisfied permits. */
export type Obligations = {
  /** Labels whose findings are cut from the prompt. Sorted, each once. */
  readonly redact: readonly string[];
  /** The strictest of all; `drop` reads as `none`, `keep` as `sealed`. */
  readonly content: ContentRule | undefined;
  /** The model's name that replaces the one asked for. */
  readonly model: string | undefined;
  /** The lowest output ceiling in tokens. */
  readonly maxTokens: number | undefined;
};

export type DenyReason = 'forbid' | 'no_permit' | 'error' | 'obligation_conflict';

/** Every outcome lists the rules that determined it, in the policy's order, and all rules that erred. */
export type Decision =
  | {
      readonly outcome: 'allow';
      readonly policyIds: readonly string[];
      readonly obligations: Obligations;
      readonly errors: readonly PolicyError[];
    }
  | {
      readonly outcome: 'deny';
      readonly reason: DenyReason;
      readonly policyIds: readonly string[];
      readonly errors: readonly PolicyError[];
    }
  | {
      /** Would be allowed but for forbids that an approval can lift. */
      readonly outcome: 'requestable';
      readonly policyIds: readonly string[];
      readonly errors: readonly PolicyError[];
    };
