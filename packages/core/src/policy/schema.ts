// Owns the Cedar schema: the principals, actions, resources and context that a policy can speak of.

import { builtinLabels, labelGroups, markerLabels } from '../classify/types.ts';
import { actionNames, modelActions } from './actions.ts';
import { entityView, uidKey } from './entity.ts';
import type { EntityView } from './types.ts';

/** Labels that classification gives by itself; `context.counts` has one optional number for each. */
export const builtInLabels: readonly string[] = [
  ...builtinLabels,
  ...Object.keys(labelGroups),
  ...markerLabels,
];

const labelForm = /^[a-z][a-z0-9_]{0,62}$/;

/** True for a well-formed label: what a classifier may be named after and `@redact` may list. */
export function isLabel(text: string): boolean {
  return labelForm.test(text);
}

const groups: ReadonlyMap<string, readonly string[]> = new Map([
  ...modelActions.map((name): [string, readonly string[]] => [name, [uidKey('Action', 'call_model')]]),
]);

const actionViews: ReadonlyMap<string, EntityView> = new Map(
  [...actionNames, 'call_model'].map((name): [string, EntityView] => [
    name,
    entityView('Action', name, groups.get(name) ?? [], {}),
  ]),
);

/** The action as an entity, with the groups it is in; an unknown name is in no group. */
export function actionView(name: string): EntityView {
  return actionViews.get(name) ?? entityView('Action', name, [], {});
}

const entities = `// Whom a call is made for. When an agent or an application acts for a person, the person is the principal.
// Entity ids are the stable ids (usr_…, team_…, ws_…, mdl_…); a role's id is its name. Names are attributes,
// so that renaming a team or a model never changes which rule applies by its place in the hierarchy.
entity Organization;
entity Workspace in [Organization];
entity Team in [Workspace, Organization];
entity Role in [Organization];

entity User in [Role, Team, Workspace, Organization] {
  person: Bool,            // a natural person is identified: always true for a user
  roles: Set<String>,      // in the workspace of the call: "owner", "admin", "member", …
  teams: Set<String>,      // names of teams
  costCentre?: String,
};
entity Service in [Role, Team, Workspace, Organization] {
  person: Bool,            // false when nobody is named behind the service
  name: String,
  roles: Set<String>,
  teams: Set<String>,
  costCentre?: String,
};
entity Agent in [Role, Team, Workspace, Organization] {
  person: Bool,            // true when the chain ends at a named human
  name: String,
  roles: Set<String>,
  teams: Set<String>,
  owner?: User,
  costCentre?: String,
};

entity Provider in [Organization] {
  name: String,
  external: Bool,
};
// A model is in its provider and in every workspace that may use it.
entity Model in [Provider, Workspace, Organization] {
  name: String,            // what clients send
  upstream: String,        // what the provider is sent
  provider: String,        // the provider's name
  external: Bool,          // prompts sent here leave the organization's own control
};
// A provider's endpoint that is passed through without being understood.
entity Route in [Provider, Organization] {
  provider: String,
  external: Bool,
  method: String,
  path: String,
};
entity ToolServer in [Workspace, Organization] {
  name: String,
  external: Bool,
};
// A tool of a tool server, or (hosted) one that the model's provider runs by itself.
entity Tool in [ToolServer, Provider, Workspace, Organization] {
  name: String,            // "send_mail"; hosted: "web_search", "mcp:label"
  server: String,          // name of the tool server; hosted: of the provider
  hosted: Bool,
  external: Bool,
  effect?: String,         // "read", "write" or "irreversible"
  clearance?: Set<String>, // labels that may flow into it
  produces?: Set<String>,  // labels that its results carry
};
`;

const contextHead = `type Context = {
  workspace: Workspace,
  workspaceName: String,
  endpoint: String,        // "chat", "responses", "messages", "embeddings", …
  dialect: String,         // "openai" or "anthropic"
  stream: Bool,
  labels: Set<String>,     // what the detectors found in the request
  counts: {                // how often; a label that was not found is absent
    total: Long,
`;

const contextTail = `  },
  opaque: Bool,            // a part that no detector can read
  tokens: Long,            // estimate of the input
  maxOutput?: Long,        // what the request asks for, in tokens
  hostedTools: Set<String>,
  otherModels?: Set<String>, // models that the body names beside its own, as it names them
  time: {
    epoch: Long,           // seconds since 1970
    hour: Long,            // 0 to 23, UTC
    weekday: Long,         // 1 Monday to 7 Sunday, UTC
  },
  network: Set<String>,    // names of the organization's networks that hold the caller's address
  authentication: {
    proof: String,         // "key", "idp", "application", "session", "mesh"
    amr: Set<String>,      // RFC 8176
    strength: Long,        // 0 a bearer secret, 1 one factor, 2 two factors, 3 phishing-resistant
    age?: Long,            // seconds since the person authenticated
  },
  key?: {
    id: String,
    environment?: String,
    costCentre?: String,
  },
  application?: {          // the service through which a person's call came
    id: String,
    name: String,
  },
  customer?: String,       // from a trusted issuer's claim
  agent?: {                // an agent acts for the principal
    id: String,            // the presenter
    name?: String,
    chain: Set<String>,    // ids of all agents in the chain
    depth: Long,           // 1 for a direct delegation
    trust?: Long,          // 0 to 100
    assurance?: String,
  },
  elevation?: {            // a time-boxed role that is in force
    role: String,
    remaining: Long,       // seconds
  },
  run?: {                  // the task to which the call belongs, before this call
    id: String,
    labels: Set<String>,   // what it has read
    integrity: Long,
    calls: Long,
    spend: Long,           // nano-units of the organization's currency
    toolsUsed: Set<String>,
    sources: Set<String>,
  },
  approval?: {             // an approval bound to exactly this call
    id: String,
    approver: String,
    age: Long,             // seconds
  },
  claimed: {               // said by the client, proven by nobody
    user?: String,         // a commitment: the same text has the same 32 hex digits in an organization
    task?: String,
    tags: Set<String>,
  },
};
`;

/** The context's type, with one optional count for each label. */
function contextType(labels: readonly string[]): string {
  return contextHead + labels.map((label) => `    ${label}?: Long,\n`).join('') + contextTail;
}

const actions = `action "call_model";
action "chat", "complete", "embed", "count_tokens", "list_models" in ["call_model"] appliesTo {
  principal: [User, Service, Agent], resource: [Model], context: Context
};
action "passthrough" in ["call_model"] appliesTo {
  principal: [User, Service, Agent], resource: [Route], context: Context
};
action "call_tool", "use_hosted_tool" appliesTo {
  principal: [User, Service, Agent], resource: [Tool], context: Context
};
action "delegate" appliesTo {
  principal: [User, Service, Agent], resource: [Agent], context: Context
};
action "exchange_token" appliesTo {
  principal: [User, Service, Agent], resource: [ToolServer, Provider], context: Context
};
`;

/**
 * The schema as Cedar text. `organizationLabels` are the labels of an organization's own classifiers: each
 * becomes an optional member of `context.counts`, so that a misspelt one is refused when a policy is published.
 * Labels that are not well formed are left out.
 */
export function cedarSchema(organizationLabels: readonly string[] = []): string {
  const labels = new Set<string>([...builtInLabels, ...organizationLabels.filter(isLabel)]);
  labels.delete('total');
  return `${entities}\n${contextType([...labels])}\n${actions}`;
}
