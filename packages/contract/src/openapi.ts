// Owns the OpenAPI 3.1 document of the management API, made from the operations themselves.

import { isObject } from '@countersign/core/json';
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import { type Operation, pathParameters } from './operation.ts';
import { problem } from './shapes.ts';

export type OpenApiOptions = {
  /** Where the server is reached, without `/api/v1`: `https://gateway.example.com`. */
  readonly serverUrl: string;
  /** The product's version. */
  readonly version: string;
};

/** The document as plain data, ready for JSON. */
export type OpenApiDocument = {
  readonly openapi: '3.1.0';
  readonly info: JsonSchema;
  readonly servers: readonly JsonSchema[];
  readonly security: readonly JsonSchema[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: { readonly [path: string]: { readonly [method: string]: JsonSchema } };
  readonly components: {
    readonly schemas: { readonly [name: string]: JsonSchema };
    readonly responses: JsonSchema;
    readonly parameters: JsonSchema;
    readonly headers: JsonSchema;
    readonly securitySchemes: JsonSchema;
  };
};

type Components = { readonly schemas: Map<string, JsonSchema>; readonly nameOf: Map<string, string> };

/** `token_issuer` is `TokenIssuer`. */
function pascal(text: string): string {
  return text
    .split(/[._-]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/** What `get` answers is the resource's own shape: it is named once, and every equal shape refers to it. */
function collectComponents(operations: readonly Operation[]): Components {
  const components: Components = { schemas: new Map(), nameOf: new Map() };
  for (const operation of operations) {
    const [resource = '', verb] = operation.id.split('.');
    if (verb !== 'get') continue;
    const schema = jsonSchemaOf(operation.response, 'output');
    const text = JSON.stringify(schema);
    if (components.nameOf.has(text)) continue;
    components.schemas.set(pascal(resource), schema);
    components.nameOf.set(text, pascal(resource));
  }
  components.schemas.set('Problem', jsonSchemaOf(problem, 'output'));
  return components;
}

function withRefs(components: Components, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withRefs(components, item));
  if (!isObject(value)) return value;
  const name = components.nameOf.get(JSON.stringify(value));
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withRefs(components, member)]),
  );
}

function membersOf(schema: JsonSchema): readonly (readonly [string, JsonSchema])[] {
  if (!isObject(schema.properties)) return [];
  return Object.entries(schema.properties).flatMap(([name, member]) =>
    isObject(member) ? [[name, member] as const] : [],
  );
}

function parametersOf(operation: Operation): readonly JsonSchema[] {
  const params = new Map(membersOf(jsonSchemaOf(operation.params, 'input')));
  const inPath = pathParameters(operation.path).map((name): JsonSchema => {
    const { description, ...schema } = params.get(name) ?? { type: 'string' };
    return {
      name,
      in: 'path',
      required: true,
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
  const query = jsonSchemaOf(operation.query, 'input');
  const required = Array.isArray(query.required) ? query.required : [];
  const inQuery = membersOf(query).map(([name, { description, ...schema }]): JsonSchema => {
    const isRequired = required.includes(name);
    return {
      name,
      in: 'query',
      required: isRequired,
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
  const key = operation.runs === 'command' ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : [];
  return [...inPath, ...inQuery, ...key];
}

function otherMedia(media: string): JsonSchema {
  if (media === 'application/octet-stream') return { schema: { type: 'string', format: 'binary' } };
  return { schema: { type: 'string' } };
}

function describeOperation(components: Components, operation: Operation): JsonSchema {
  const parameters = parametersOf(operation);
  const answer = withRefs(components, jsonSchemaOf(operation.response, 'output'));
  const content = Object.fromEntries([
    ['application/json', { schema: answer }],
    ...operation.alsoProduces.map((media) => [media, otherMedia(media)] as const),
  ]);
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [operation.tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.body === null
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: jsonSchemaOf(operation.body, 'input') } },
          },
        }),
    responses: {
      [String(operation.status)]: {
        description: operation.status === 201 ? 'made' : 'done',
        headers: { 'x-request-id': { $ref: '#/components/headers/RequestId' } },
        content,
      },
      default: { $ref: '#/components/responses/Problem' },
    },
    'x-permission': operation.permission,
    ...(operation.audit === null ? {} : { 'x-audit': operation.audit }),
  };
}

function pathsOf(components: Components, operations: readonly Operation[]): OpenApiDocument['paths'] {
  const paths = new Map<string, Map<string, JsonSchema>>();
  for (const operation of operations) {
    const methods = paths.get(operation.path) ?? new Map<string, JsonSchema>();
    paths.set(operation.path, methods);
    const method = operation.method.toLowerCase();
    if (methods.has(method)) throw new RangeError(`two operations are ${operation.method} ${operation.path}`);
    methods.set(method, describeOperation(components, operation));
  }
  return Object.fromEntries([...paths].map(([path, methods]) => [path, Object.fromEntries(methods)]));
}

/**
 * The OpenAPI 3.1 document of these operations. The same operations give the same text. Throws a RangeError
 * when two operations share a method and a path, or a schema has no JSON form.
 */
export function openApi(operations: readonly Operation[], options: OpenApiOptions): OpenApiDocument {
  const components = collectComponents(operations);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Countersign management API',
      version: options.version,
      description:
        'The organization follows from the credential. Lists are newest first; `next` is the `cursor` of the next page.',
    },
    servers: [{ url: `${options.serverUrl}/api/v1` }],
    security: [{ managementKey: [] }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths: pathsOf(components, operations),
    components: {
      schemas: Object.fromEntries(components.schemas),
      responses: {
        Problem: {
          description: 'refused or failed: an RFC 9457 problem with a stable `code`',
          headers: { 'x-request-id': { $ref: '#/components/headers/RequestId' } },
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      parameters: {
        IdempotencyKey: {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          description:
            'a repeated request with the same key is answered with the first result, without secrets that are shown once',
          schema: { type: 'string', minLength: 1, maxLength: 255 },
        },
      },
      headers: {
        RequestId: { description: 'names this request in the ledger', schema: { type: 'string' } },
      },
      securitySchemes: {
        managementKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'a virtual key whose use is `management`',
        },
      },
    },
  };
}
