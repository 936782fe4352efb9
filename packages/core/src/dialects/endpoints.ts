// Owns the table of the data plane's paths: which endpoint a path is, in which dialect, with which methods.

export type Dialect = 'openai' | 'anthropic';

export type EndpointId =
  | 'chat'
  | 'responses'
  | 'response_tokens'
  | 'response_compact'
  | 'embeddings'
  | 'completions'
  | 'messages'
  | 'count_tokens'
  | 'models'
  | 'response_object'
  | 'passthrough';

export type Endpoint = {
  readonly id: EndpointId;
  /** In which dialect errors are answered. `GET /v1/models` without an alias is settled by headers: see models-list.ts. */
  readonly dialect: Dialect;
  /** The path at the provider, without our alias or `/providers/{name}`; always starts with `/`. */
  readonly providerPath: string;
  /** From `/providers/{name}/…`: the provider that the client pins. */
  readonly provider: string | undefined;
  /** The response that `response_object` is about, or the model that `GET /v1/models/{id}` asks for. */
  readonly objectId: string | undefined;
};

/** What a method and a path lead to. `allow` lists what the path would take. */
export type EndpointMatch =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  | { readonly kind: 'wrong_method'; readonly dialect: Dialect; readonly allow: readonly string[] }
  | { readonly kind: 'none' };

type Entry = { readonly id: EndpointId; readonly dialect: Dialect; readonly method: 'GET' | 'POST' };

const fixed: ReadonlyMap<string, Entry> = new Map([
  ['/v1/chat/completions', { id: 'chat', dialect: 'openai', method: 'POST' }],
  ['/v1/responses', { id: 'responses', dialect: 'openai', method: 'POST' }],
  ['/v1/responses/input_tokens', { id: 'response_tokens', dialect: 'openai', method: 'POST' }],
  ['/v1/responses/compact', { id: 'response_compact', dialect: 'openai', method: 'POST' }],
  ['/v1/embeddings', { id: 'embeddings', dialect: 'openai', method: 'POST' }],
  ['/v1/completions', { id: 'completions', dialect: 'openai', method: 'POST' }],
  ['/v1/messages', { id: 'messages', dialect: 'anthropic', method: 'POST' }],
  ['/v1/messages/count_tokens', { id: 'count_tokens', dialect: 'anthropic', method: 'POST' }],
  ['/v1/models', { id: 'models', dialect: 'openai', method: 'GET' }],
] satisfies readonly (readonly [string, Entry])[]);

/** Every path of the table as it stands there, for whoever has to go through all of them. */
export const fixedPaths: readonly string[] = [...fixed.keys()];

const responseObject = /^\/v1\/responses\/([A-Za-z0-9_-]{1,128})(\/cancel|\/input_items)?$/;
const modelObject = /^\/v1\/models\/([A-Za-z0-9][A-Za-z0-9._:@/-]{0,255})$/;
const providerPrefix = /^\/providers\/([a-z0-9][a-z0-9._-]{0,62})(\/.*)$/;
/** The most characters of a path that is passed through: an entry holds it whole. */
const maxPassedPath = 1024;
/**
 * What a proxy and an upstream may read differently: dot segments, empty segments, encoded or raw separators,
 * controls, characters that need no encoding and have one (RFC 3986 section 2.3: `%66iles` is `files`), and what was
 * encoded twice.
 */
const ambiguousPath =
  /\/\.{1,2}(?:\/|$)|\/\/|%(?:2[5def]|5[cf]|7e|00|3[0-9]|[46][1-9a-f]|[57][0-9a])|%(?![0-9a-f]{2})|[\\?#;]|[^\x21-\x7e]/i;

function responseMethods(action: string | undefined): readonly string[] {
  if (action === '/cancel') return ['POST'];
  return action === '/input_items' ? ['GET'] : ['GET', 'DELETE'];
}

function matchProviderPath(method: string, path: string, provider: string | undefined): EndpointMatch {
  const entry = fixed.get(path);
  if (entry !== undefined) {
    if (entry.method !== method) {
      return { kind: 'wrong_method', dialect: entry.dialect, allow: [entry.method] };
    }
    const { id, dialect } = entry;
    return { kind: 'endpoint', endpoint: { id, dialect, providerPath: path, provider, objectId: undefined } };
  }
  const response = responseObject.exec(path);
  if (response !== null) {
    const allow = responseMethods(response[2]);
    if (!allow.includes(method)) return { kind: 'wrong_method', dialect: 'openai', allow };
    const objectId = response[1];
    return {
      kind: 'endpoint',
      endpoint: { id: 'response_object', dialect: 'openai', providerPath: path, provider, objectId },
    };
  }
  const model = modelObject.exec(path);
  if (model === null) return { kind: 'none' };
  if (method !== 'GET') return { kind: 'wrong_method', dialect: 'openai', allow: ['GET'] };
  const objectId = model[1];
  return {
    kind: 'endpoint',
    endpoint: { id: 'models', dialect: 'openai', providerPath: path, provider, objectId },
  };
}

/** An alias serves its own dialect's endpoints only; the list of models, which both have, takes the alias's. */
function matchAlias(method: string, path: string, dialect: Dialect): EndpointMatch {
  const match = matchProviderPath(method, path, undefined);
  if (match.kind === 'endpoint' && match.endpoint.id === 'models') {
    return { kind: 'endpoint', endpoint: { ...match.endpoint, dialect } };
  }
  const own =
    match.kind === 'endpoint' ? match.endpoint.dialect : match.kind === 'wrong_method' && match.dialect;
  return own === dialect ? match : { kind: 'none' };
}

/**
 * Finds the endpoint of a request. `path` is the raw path without the query; it is compared byte for byte,
 * so that no decoding can make it another one at the provider. `/openai/…` and `/anthropic/…` are aliases that
 * also settle the dialect; `/providers/{name}/…` pins the provider, keeps a known path's endpoint, and is
 * `passthrough` otherwise. A path with dot segments, empty segments or encoded separators leads nowhere, nor does
 * one to be passed through that is longer than its entry could hold.
 */
export function matchEndpoint(method: string, path: string): EndpointMatch {
  const direct = fixed.get(path);
  if (direct !== undefined) return matchProviderPath(method, path, undefined);
  if (ambiguousPath.test(path)) return { kind: 'none' };
  if (path.startsWith('/openai/')) {
    return matchAlias(method, path.slice('/openai'.length), 'openai');
  }
  if (path.startsWith('/anthropic/')) {
    return matchAlias(method, path.slice('/anthropic'.length), 'anthropic');
  }
  const pinned = providerPrefix.exec(path);
  if (pinned === null) return matchProviderPath(method, path, undefined);
  const [, provider, rest = '/'] = pinned;
  const known = matchProviderPath(method, rest, provider);
  if (known.kind !== 'none' || rest.length > maxPassedPath) return known;
  // An upstream that is careless of case or of a last `/` would take it for an endpoint whose body we read.
  const careless = rest.toLowerCase().replace(/\/$/, '');
  if (careless !== rest && matchProviderPath(method, careless, provider).kind !== 'none') return known;
  const dialect = rest.startsWith('/v1/messages') ? 'anthropic' : 'openai';
  return {
    kind: 'endpoint',
    endpoint: { id: 'passthrough', dialect, providerPath: rest, provider, objectId: undefined },
  };
}
