// Owns finding the operation of a path: a table made from the contract, so that no route exists beside it.

import { type Operation, pathParameters } from '@countersign/contract/operation';

export type Routed =
  | {
      readonly kind: 'operation';
      readonly operation: Operation;
      readonly params: { readonly [name: string]: string };
    }
  | { readonly kind: 'wrong_method'; readonly allow: readonly string[] }
  | { readonly kind: 'none' };

type Route = { readonly operation: Operation; readonly pattern: RegExp; readonly names: readonly string[] };

/** `{path}` takes slashes; every other parameter ends at one. */
function patternOf(path: string): RegExp {
  const source = path
    .split('/')
    .map((part) =>
      part === '{path}'
        ? '(.+)'
        : part.startsWith('{')
          ? '([^/]+)'
          : part.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&'),
    )
    .join('/');
  return new RegExp(`^${source}$`);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A router over these operations. Paths are those under `/api/v1`. */
export function createRouter(operations: readonly Operation[]): (method: string, path: string) => Routed {
  const routes: readonly Route[] = operations.map((operation) => ({
    operation,
    pattern: patternOf(operation.path),
    names: pathParameters(operation.path),
  }));
  return (method, path) => {
    const allow: string[] = [];
    for (const { operation, pattern, names } of routes) {
      const match = pattern.exec(path);
      if (match === null) continue;
      allow.push(operation.method);
      if (operation.method !== method) continue;
      const values = names.map((name, i) => [name, decode(match[i + 1] ?? '')] as const);
      if (values.some(([, value]) => value === undefined)) return { kind: 'none' };
      return {
        kind: 'operation',
        operation,
        params: Object.fromEntries(values.map(([name, value]) => [name, value ?? ''])),
      };
    }
    return allow.length === 0 ? { kind: 'none' } : { kind: 'wrong_method', allow };
  };
}
