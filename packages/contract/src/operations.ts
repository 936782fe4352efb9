// Owns the list of every management operation: the router, the SDK, the CLI and OpenAPI all loop over it.

import * as access from './access-operations.ts';
import * as directory from './directory-operations.ts';
import * as evidence from './evidence-operations.ts';
import * as models from './model-operations.ts';
import type { Operation } from './operation.ts';
import * as policy from './policy-operations.ts';
import * as usage from './usage-operations.ts';

function isOperation(value: unknown): value is Operation {
  return typeof value === 'object' && value !== null && 'method' in value && 'permission' in value;
}

/** Every operation, in the order in which the reference prints them. */
export const operations: readonly Operation[] = [directory, access, models, policy, evidence, usage]
  .flatMap((module) => Object.values(module))
  .filter(isOperation);
