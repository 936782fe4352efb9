// Owns random Cedar text for differential tests: every operator we support, well typed most of the time.

/** A source of numbers in [0, 1). */
export type Random = () => number;

/** A small deterministic generator (mulberry32), so that a failing case can be repeated from its seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** One of the choices. Throws a RangeError if there is none. */
export function pick<const T>(random: Random, choices: readonly T[]): T {
  const index = Math.min(Math.floor(random() * choices.length), choices.length - 1);
  for (const choice of choices.slice(index, index + 1)) return choice;
  throw new RangeError('pick needs at least one choice');
}

export const entityIds = [
  ['User', 'alice'],
  ['User', 'bob'],
  ['Service', 'batch'],
  ['Agent', 'helper'],
  ['Team', 'red'],
  ['Team', 'blue "q"'],
  ['Role', 'member'],
  ['Workspace', 'w1'],
  ['Organization', 'o'],
  ['Model', 'small'],
  ['Model', 'large'],
  ['Provider', 'p1'],
  ['Action', 'chat'],
  ['Action', 'call_model'],
] as const;

export const attributeNames = [
  'n',
  'm',
  's',
  't',
  'b',
  'ls',
  'ns',
  'e',
  'es',
  'r',
  'ip',
  'd',
  'constructor',
] as const;

type Kind = 'bool' | 'long' | 'text' | 'entity' | 'set' | 'record' | 'ip' | 'decimal';
const kinds = ['bool', 'long', 'text', 'entity', 'set', 'record', 'ip', 'decimal'] as const;
const attributesOfKind = {
  bool: ['b'],
  long: ['n', 'm'],
  text: ['s', 't', 'constructor'],
  entity: ['e'],
  set: ['ls', 'ns', 'es'],
  record: ['r'],
  ip: ['ip'],
  decimal: ['d'],
} as const satisfies Record<Kind, readonly [string, ...string[]]>;

export const texts = [
  '',
  'a',
  'ab',
  'aab',
  'a*b',
  'b',
  'é',
  '\u{1F600}x',
  'x\\y',
  'long text with a in it',
] as const;
export const longs = [
  0, 1, 2, -1, 7, 1000, 4611686018, -4611686018, 9007199254740991, -9007199254740991,
] as const;
export const ips = [
  '10.0.0.1',
  '10.0.0.0/8',
  '127.0.0.1',
  '224.0.0.1',
  '::1',
  'ff00::/8',
  '2001:db8::/32',
  '127.0.0.0/7',
  '10.1.2.3/33',
] as const;
export const decimals = [
  '0.0',
  '1.5',
  '1.50',
  '-3.1415',
  '922337203685477.5807',
  '922337203685477.5808',
  '1.23456',
] as const;

function quote(text: string): string {
  return JSON.stringify(text);
}

/** An entity as Cedar writes it. */
export function entityText([type, id]: readonly [string, string]): string {
  return `${type}::${quote(id)}`;
}

function patternText(random: Random): string {
  const pieces = ['*', 'a', 'b', '\\*', 'é', 'in', 'x', '**'] as const;
  let text = '';
  for (let i = Math.floor(random() * 5); i >= 0; i -= 1) text += pick(random, pieces);
  return `"${text}"`;
}

function binaryText(random: Random, depth: number): string {
  const long = (): string => exprText(random, 'long', depth);
  const set = (): string => exprText(random, 'set', depth);
  const operand = pick(random, kinds);
  const any = (): string => exprText(random, operand, depth);
  switch (Math.floor(random() * 16)) {
    case 0:
      return `(${any()} ${pick(random, ['==', '!='])} ${any()})`;
    case 1:
      return `(${long()} ${pick(random, ['<', '<=', '>', '>='])} ${long()})`;
    case 2:
      return `(${exprText(random, 'entity', depth)} in ${exprText(random, pick(random, ['entity', 'set']), depth)})`;
    case 3:
      return `(${exprText(random, 'entity', depth)} in [${entitySetText(random, depth)}])`;
    case 4:
      return `${set()}.contains(${any()})`;
    case 5:
      return `${set()}.${pick(random, ['containsAll', 'containsAny'])}(${set()})`;
    case 6:
      return `${set()}.isEmpty()`;
    case 7:
      return `(${exprText(random, 'text', depth)} like ${patternText(random)})`;
    case 8:
      return `(${exprText(random, 'entity', depth)} is ${pick(random, ['User', 'Service', 'Model', 'Action'])})`;
    case 9:
      return `(${exprText(random, 'entity', depth)} is User in ${exprText(random, 'entity', depth)})`;
    case 10:
      return `${exprText(random, 'ip', depth)}.${pick(random, ['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'])}()`;
    case 11:
      return `${exprText(random, 'ip', depth)}.isInRange(${exprText(random, 'ip', depth)})`;
    case 12: {
      const fn = pick(random, ['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual']);
      return `${exprText(random, 'decimal', depth)}.${fn}(${exprText(random, 'decimal', depth)})`;
    }
    case 13:
      return `${exprText(random, 'entity', depth)}.hasTag(${exprText(random, 'text', depth)})`;
    default:
      return hasText(random, depth);
  }
}

function hasText(random: Random, depth: number): string {
  const holder = pick(random, [
    'principal',
    'resource',
    'context',
    'action',
    exprText(random, 'record', depth),
  ]);
  const path = pick(random, [
    'n',
    'm',
    's',
    'e',
    'r',
    'r.a',
    'r.b.c',
    'e.n',
    '"constructor"',
    '"toString"',
    '"a b"',
    'n.x',
  ]);
  return `(${holder} has ${path})`;
}

function entitySetText(random: Random, depth: number): string {
  const items = Array.from({ length: Math.floor(random() * 3) }, () => exprText(random, 'entity', depth));
  return items.join(', ');
}

function leafText(random: Random, kind: Kind): string {
  switch (kind) {
    case 'bool':
      return pick(random, ['true', 'false']);
    case 'long':
      return `${pick(random, longs)}`;
    case 'text':
      return quote(pick(random, texts));
    case 'entity':
      return pick(random, ['principal', 'resource', 'action', entityText(pick(random, entityIds))]);
    case 'set':
      return pick(random, [
        '[]',
        '[1, 2]',
        '["a", "b"]',
        '[1, 2, 3, 4, 5, 6, 7, 8, 1000]',
        '["a", 1, true]',
        '[[1], []]',
      ]);
    case 'record':
      return pick(random, ['{}', '{a: 1}', '{"a b": 1, n: 2}', 'context', 'context.r', 'principal.r']);
    case 'ip':
      return `ip(${quote(pick(random, ips))})`;
    case 'decimal':
      return `decimal(${quote(pick(random, decimals))})`;
  }
}

function compoundText(random: Random, kind: Kind, depth: number): string {
  const below = depth - 1;
  if (kind === 'bool' && random() < 0.9) {
    const choice = random();
    const bool = (): string => exprText(random, 'bool', below);
    if (choice < 0.2) return `(${bool()} && ${bool()})`;
    if (choice < 0.4) return `(${bool()} || ${bool()})`;
    return choice < 0.5 ? `!(${bool()})` : binaryText(random, below);
  }
  if (kind === 'long' && random() < 0.6) {
    const long = (): string => exprText(random, 'long', below);
    return random() < 0.2 ? `-(${long()})` : `(${long()} ${pick(random, ['+', '-', '*'])} ${long()})`;
  }
  if (kind === 'set' && random() < 0.6) {
    const element = pick(random, kinds);
    return `[${exprText(random, element, below)}, ${exprText(random, element, below)}]`;
  }
  if (kind === 'record' && random() < 0.6)
    return `{a: ${exprText(random, pick(random, kinds), below)}, b: 2}`;
  if (kind === 'ip' || kind === 'decimal') return `${kind}(${exprText(random, 'text', below)})`;
  if (random() < 0.1) return `${exprText(random, 'record', below)}.${pick(random, ['a', 'b', 'n'])}`;
  if (random() < 0.05)
    return `${exprText(random, 'entity', below)}.getTag(${exprText(random, 'text', below)})`;
  return `(if ${exprText(random, 'bool', below)} then ${exprText(random, kind, below)} else ${exprText(random, kind, below)})`;
}

function attributeText(random: Random, kind: Kind): string {
  const holder = pick(random, ['principal', 'resource', 'context', 'context.e', 'context.r']);
  const name = pick(random, attributesOfKind[kind]);
  return name === 'constructor' ? `${holder}["constructor"]` : `${holder}.${name}`;
}

/** An expression that has this type most of the time: now and then it has another, so that rules err. */
export function exprText(random: Random, wanted: Kind, depth: number): string {
  const kind = random() < 0.03 ? pick(random, kinds) : wanted;
  const choice = random();
  if (depth <= 0 || choice < 0.15) return leafText(random, kind);
  if (choice < 0.45) return attributeText(random, kind);
  return compoundText(random, kind, depth);
}

function scopeText(random: Random, name: 'principal' | 'resource'): string {
  const entity = entityText(pick(random, entityIds));
  const choice = random();
  if (choice < 0.4) return name;
  if (choice < 0.5) return `${name} == ${entity}`;
  if (choice < 0.7) return `${name} in ${entity}`;
  const type = name === 'principal' ? pick(random, ['User', 'Service']) : 'Model';
  return choice < 0.85 ? `${name} is ${type}` : `${name} is ${type} in ${entity}`;
}

/** First terms as people write them: scope tests, some of them behind a term that may err. */
function leadingText(random: Random): string {
  const who = pick(random, ['principal', 'resource']);
  const scope = `${who} ${pick(random, ['in', '==', '!='])} ${entityText(pick(random, entityIds))}`;
  const first = pick(random, ['', '', 'context.b && ', 'principal in Organization::"o" && ']);
  return `${first}${scope}`;
}

/** One rule. Its first condition often begins with a scope test, as people write them. */
export function ruleText(random: Random): string {
  const effect = random() < 0.6 ? 'permit' : 'forbid';
  const action = pick(random, [
    'action',
    'action',
    'action == Action::"chat"',
    'action in Action::"call_model"',
    'action in [Action::"chat", Action::"embed"]',
    'action in []',
  ]);
  let text = `${effect}(${scopeText(random, 'principal')}, ${action}, ${scopeText(random, 'resource')})`;
  if (random() < 0.3)
    text += ` ${pick(random, ['when', 'unless'])} { ${leadingText(random)} && ${exprText(random, 'bool', 2)} }`;
  for (let i = Math.floor(random() * 3); i > 0; i -= 1) {
    text += ` ${pick(random, ['when', 'unless'])} { ${exprText(random, 'bool', 3)} }`;
  }
  return `${text};`;
}
