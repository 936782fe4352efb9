// Owns random requests around a policy's own literals: what the self-test before publishing asks.

import { actionNames } from './actions.ts';
import type { CompiledPolicy } from './compile.ts';
import { entityRef, entityView, uidKey } from './entity.ts';
import { childrenOf, type Expr, type Scope } from './expr.ts';
import type { AnyRequest, Attributes, EntityRef, EntityView } from './types.ts';

/** A source of numbers in [0, 1). */
export type Random = () => number;

/** The literals of a policy's rules: entities by key, texts and numbers. */
export type Literals = {
  readonly entities: readonly EntityRef[];
  readonly texts: readonly string[];
  readonly numbers: readonly number[];
};

type Sink = {
  readonly entities: Map<string, EntityRef>;
  readonly texts: Set<string>;
  readonly numbers: Set<number>;
};

function addEntity(sink: Sink, ref: EntityRef | undefined): void {
  if (ref !== undefined) sink.entities.set(uidKey(ref.__entity.type, ref.__entity.id), ref);
}

function addScope(sink: Sink, scope: Scope): void {
  if (scope.op === 'eq' || scope.op === 'in') addEntity(sink, scope.entity);
  if (scope.op === 'is') addEntity(sink, scope.within);
}

function addLiteral(sink: Sink, value: boolean | number | string | EntityRef): void {
  if (typeof value === 'string') sink.texts.add(value);
  else if (typeof value === 'number') sink.numbers.add(value);
  else if (typeof value === 'object') addEntity(sink, value);
}

function addExpr(sink: Sink, expr: Expr): void {
  if (expr.kind === 'literal') addLiteral(sink, expr.value);
  if (expr.kind === 'like') sink.texts.add(expr.pattern.map((piece) => piece ?? 'x').join(''));
  for (const child of childrenOf(expr)) addExpr(sink, child);
}

/** Collects the literals of all rules, once per self-test. */
export function literalsOf(policy: CompiledPolicy): Literals {
  const sink: Sink = { entities: new Map(), texts: new Set(['', 'x']), numbers: new Set([0, 1, 100]) };
  for (const { syntax } of policy.rules) {
    addScope(sink, syntax.principal);
    addScope(sink, syntax.resource);
    for (const { body } of syntax.conditions) addExpr(sink, body);
  }
  return { entities: [...sink.entities.values()], texts: [...sink.texts], numbers: [...sink.numbers] };
}

type Source = {
  readonly flip: (probability: number) => boolean;
  readonly text: () => string;
  readonly number: () => number;
  readonly texts: () => readonly string[];
  readonly entity: (types: readonly string[]) => readonly [string, string];
  readonly groups: (types: readonly string[]) => readonly string[];
  readonly maybe: <T>(make: () => T) => T | undefined;
};

function sourceOf(random: Random, literals: Literals): Source {
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const flip = (probability: number): boolean => random() < probability;
  const text = (): string => pick(literals.texts) ?? 'x';
  const ofTypes = (types: readonly string[]): readonly EntityRef[] =>
    literals.entities.filter(({ __entity }) => types.includes(__entity.type));
  return {
    flip,
    text,
    // Around each literal, so that both sides of every comparison are met.
    number: () => {
      const near = (pick(literals.numbers) ?? 0) + Math.floor(random() * 3) - 1;
      return Number.isSafeInteger(near) ? near : 0;
    },
    texts: () => [...new Set(Array.from({ length: Math.floor(random() * 4) }, text))],
    entity: (types) => {
      const known = flip(0.7) ? pick(ofTypes(types)) : undefined;
      return known === undefined
        ? [pick(types) ?? 'User', 'someone']
        : [known.__entity.type, known.__entity.id];
    },
    groups: (types) =>
      ofTypes(types)
        .filter(() => flip(0.5))
        .map(({ __entity }) => uidKey(__entity.type, __entity.id)),
    maybe: (make) => (flip(0.5) ? make() : undefined),
  };
}

function randomContext(source: Source, labels: readonly string[], workspace: EntityRef): Attributes {
  const { flip, text, number, texts, maybe } = source;
  const found = labels.filter(() => flip(0.3));
  return {
    workspace,
    workspaceName: text(),
    endpoint: text(),
    dialect: flip(0.5) ? 'openai' : 'anthropic',
    stream: flip(0.5),
    labels: [...new Set([...found, ...texts()])],
    counts: { total: number(), ...Object.fromEntries(found.map((label) => [label, number()])) },
    opaque: flip(0.3),
    tokens: number(),
    maxOutput: maybe(number),
    hostedTools: texts(),
    otherModels: maybe(texts),
    time: { epoch: number(), hour: number(), weekday: number() },
    network: texts(),
    authentication: { proof: text(), amr: texts(), strength: number(), age: maybe(number) },
    key: maybe(() => ({ id: text(), environment: maybe(text), costCentre: maybe(text) })),
    application: maybe(() => ({ id: text(), name: text() })),
    customer: maybe(text),
    agent: maybe(() => ({
      id: text(),
      name: maybe(text),
      chain: texts(),
      depth: number(),
      trust: maybe(number),
      assurance: maybe(text),
    })),
    elevation: maybe(() => ({ role: text(), remaining: number() })),
    run: maybe(() => ({
      id: text(),
      labels: texts(),
      integrity: number(),
      calls: number(),
      spend: number(),
      toolsUsed: texts(),
      sources: texts(),
    })),
    approval: maybe(() => ({ id: text(), approver: text(), age: number() })),
    claimed: { user: maybe(text), task: maybe(text), tags: texts() },
  };
}

function randomPrincipal(source: Source, types: readonly string[], workspace: EntityRef): EntityView {
  const { flip, text, texts, maybe, entity, groups } = source;
  const [type, id] = entity(types);
  const own = flip(0.7) ? [uidKey('Workspace', workspace.__entity.id)] : [];
  return entityView(type, id, [...groups(['Role', 'Team', 'Workspace', 'Organization']), ...own], {
    person: flip(0.7),
    roles: texts(),
    teams: texts(),
    costCentre: maybe(text),
    name: type === 'User' ? undefined : text(),
    owner: type === 'Agent' ? maybe(() => entityRef(...entity(['User']))) : undefined,
  });
}

const resourceTypes: ReadonlyMap<string, readonly string[]> = new Map([
  ['passthrough', ['Route']],
  ['call_tool', ['Tool']],
  ['use_hosted_tool', ['Tool']],
  ['delegate', ['Agent']],
  ['exchange_token', ['ToolServer', 'Provider']],
]);
const parentTypes: ReadonlyMap<string, readonly string[]> = new Map([
  ['Model', ['Provider', 'Workspace', 'Organization']],
  ['Route', ['Provider', 'Organization']],
  ['Tool', ['ToolServer', 'Provider', 'Workspace', 'Organization']],
  ['ToolServer', ['Workspace', 'Organization']],
  ['Provider', ['Organization']],
]);

function resourceAttributes(source: Source, type: string): Attributes {
  const { flip, text, texts, maybe } = source;
  const external = flip(0.5);
  switch (type) {
    case 'Route':
      return { provider: text(), external, method: text(), path: text() };
    case 'Tool':
      return {
        name: text(),
        server: text(),
        hosted: flip(0.5),
        external,
        effect: maybe(text),
        clearance: maybe(texts),
        produces: maybe(texts),
      };
    case 'Model':
      return { name: text(), upstream: text(), provider: text(), external };
    default:
      return { name: text(), external };
  }
}

function randomResource(source: Source, action: string, workspace: EntityRef): EntityView {
  const types = resourceTypes.get(action) ?? ['Model'];
  if (types.includes('Agent')) return randomPrincipal(source, types, workspace);
  const [type, id] = source.entity(types);
  const parents = parentTypes.get(type) ?? [];
  const own =
    parents.includes('Workspace') && source.flip(0.7) ? [uidKey('Workspace', workspace.__entity.id)] : [];
  return entityView(type, id, [...source.groups(parents), ...own], resourceAttributes(source, type));
}

/**
 * A random request that the schema accepts, made of the policy's literals and their neighbours, so that its
 * rules are met on both sides. `labels` are the organization's.
 */
export function randomRequest(random: Random, literals: Literals, labels: readonly string[]): AnyRequest {
  const source = sourceOf(random, literals);
  const action = actionNames[Math.floor(random() * random() * actionNames.length)] ?? 'chat';
  const workspace = entityRef(...source.entity(['Workspace']));
  const resource = randomResource(source, action, workspace);
  // One entity has one set of attributes: an agent that delegates to itself would have two.
  const types = resource.type === 'Agent' ? ['User', 'Service'] : ['User', 'Service', 'Agent'];
  return {
    principal: randomPrincipal(source, types, workspace),
    action,
    resource,
    context: randomContext(source, labels, workspace),
  };
}
