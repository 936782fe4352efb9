// Owns the closed list of permissions and the built-in roles that carry them.

/** Every permission. Each management operation names exactly one; `models.call` is the data plane's. */
export const permissions = [
  'models.call',
  'organization.read',
  'organization.update',
  'workspaces.read',
  'workspaces.write',
  'teams.read',
  'teams.write',
  'principals.read',
  'principals.write',
  'principals.erase',
  'roles.read',
  'roles.assign',
  'keys.read',
  'keys.create_own',
  'keys.write',
  'token_issuers.read',
  'token_issuers.write',
  'providers.read',
  'providers.write',
  'models.read',
  'models.write',
  'budgets.read',
  'budgets.write',
  'rate_limits.read',
  'rate_limits.write',
  'classifiers.read',
  'classifiers.write',
  'policy.read',
  'policy.publish',
  'policy.check',
  'records.read_own',
  'records.read',
  'records.content',
  'usage.read_own',
  'usage.read',
  'ledger.read',
  'metrics.read',
] as const;

export type Permission = (typeof permissions)[number];

export const roles = ['owner', 'admin', 'billing_admin', 'auditor', 'member', 'viewer'] as const;

export type Role = (typeof roles)[number];

const memberPermissions = [
  'models.call',
  'organization.read',
  'models.read',
  'keys.create_own',
  'records.read_own',
  'usage.read_own',
] as const satisfies readonly Permission[];

const viewerPermissions = [
  'organization.read',
  'workspaces.read',
  'teams.read',
  'principals.read',
  'roles.read',
  'providers.read',
  'models.read',
  'policy.read',
  'records.read_own',
  'usage.read_own',
] as const satisfies readonly Permission[];

const auditorPermissions = [
  ...viewerPermissions,
  'keys.read',
  'token_issuers.read',
  'budgets.read',
  'rate_limits.read',
  'classifiers.read',
  'policy.check',
  'records.read',
  'usage.read',
  'ledger.read',
  'metrics.read',
] as const satisfies readonly Permission[];

const billingPermissions = [
  ...memberPermissions,
  'workspaces.read',
  'teams.read',
  'principals.read',
  'budgets.read',
  'budgets.write',
  'usage.read',
] as const satisfies readonly Permission[];

/** What the Owner alone may do: content, erasure, and whatever would make another Owner. */
const ownerOnly: readonly Permission[] = ['records.content', 'principals.erase'];

/** The permissions of each built-in role. A role assigned in one workspace carries them there alone. */
export const rolePermissions: { readonly [R in Role]: ReadonlySet<Permission> } = {
  owner: new Set(permissions),
  admin: new Set(permissions.filter((p) => !ownerOnly.includes(p))),
  billing_admin: new Set(billingPermissions),
  auditor: new Set(auditorPermissions),
  member: new Set(memberPermissions),
  viewer: new Set(viewerPermissions),
};

/** Human-readable sentence for each role, shown by `GET /roles` and the reference. */
export const roleDescriptions: { readonly [R in Role]: string } = {
  owner: 'everything, including sealed content and erasure',
  admin: 'everything but sealed content, erasure, and the making of owners',
  billing_admin: 'budgets and all usage, and what a member may do',
  auditor: 'reads every record, all usage, the ledger and its proofs; changes nothing',
  member: "calls the workspace's models, makes keys for themselves, sees their own records",
  viewer: 'reads the directory and policy; calls no model',
};
