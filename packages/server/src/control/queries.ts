// Owns the registry of queries: every operation that reads the store, with the function that answers it.

import * as access from '@countersign/contract/access-operations';
import * as directory from '@countersign/contract/directory-operations';
import * as evidence from '@countersign/contract/evidence-operations';
import * as models from '@countersign/contract/model-operations';
import * as policy from '@countersign/contract/policy-operations';
import { usageList } from '@countersign/contract/usage-operations';
import { getAgent } from './get-agent.ts';
import { getBudget } from './get-budget.ts';
import { getCheckpoint } from './get-checkpoint.ts';
import { getClassifier } from './get-classifier.ts';
import { getKey } from './get-key.ts';
import { getModel } from './get-model.ts';
import { getOrganization } from './get-organization.ts';
import { getProvider } from './get-provider.ts';
import { getRateLimit } from './get-rate-limit.ts';
import { getRecord } from './get-record.ts';
import { getService } from './get-service.ts';
import { getTeam } from './get-team.ts';
import { getTile } from './get-tile.ts';
import { getTokenIssuer } from './get-token-issuer.ts';
import { getUser } from './get-user.ts';
import { getWorkspace } from './get-workspace.ts';
import { listAgents } from './list-agents.ts';
import { listBudgets } from './list-budgets.ts';
import { listClassifiers } from './list-classifiers.ts';
import { listKeys } from './list-keys.ts';
import { listMemberships } from './list-memberships.ts';
import { listModels } from './list-models.ts';
import { listProviders } from './list-providers.ts';
import { listRateLimits } from './list-rate-limits.ts';
import { listRecords } from './list-records.ts';
import { listRoleAssignments } from './list-role-assignments.ts';
import { listServices } from './list-services.ts';
import { listTeams } from './list-teams.ts';
import { listTokenIssuers } from './list-token-issuers.ts';
import { listUsage } from './list-usage.ts';
import { listUsers } from './list-users.ts';
import { listWorkspaces } from './list-workspaces.ts';
import { proveRecord } from './prove-record.ts';
import { registryOf } from './registry.ts';
import { type BoundQuery, bindQuery } from './run-query.ts';
import { simulatePolicy } from './simulate-policy.ts';

const bound: readonly BoundQuery[] = [
  bindQuery(directory.organizationGet, getOrganization),
  bindQuery(directory.workspaceList, listWorkspaces),
  bindQuery(directory.workspaceGet, getWorkspace),
  bindQuery(directory.teamList, listTeams),
  bindQuery(directory.teamGet, getTeam),
  bindQuery(directory.membershipList, listMemberships),
  bindQuery(directory.userList, listUsers),
  bindQuery(directory.userGet, getUser),
  bindQuery(directory.serviceList, listServices),
  bindQuery(directory.serviceGet, getService),
  bindQuery(directory.agentList, listAgents),
  bindQuery(directory.agentGet, getAgent),
  bindQuery(directory.roleAssignmentList, listRoleAssignments),
  bindQuery(access.keyList, listKeys),
  bindQuery(access.keyGet, getKey),
  bindQuery(access.tokenIssuerList, listTokenIssuers),
  bindQuery(access.tokenIssuerGet, getTokenIssuer),
  bindQuery(models.providerList, listProviders),
  bindQuery(models.providerGet, getProvider),
  bindQuery(models.modelList, listModels),
  bindQuery(models.modelGet, getModel),
  bindQuery(models.budgetList, listBudgets),
  bindQuery(models.budgetGet, getBudget),
  bindQuery(models.rateLimitList, listRateLimits),
  bindQuery(models.rateLimitGet, getRateLimit),
  bindQuery(models.classifierList, listClassifiers),
  bindQuery(models.classifierGet, getClassifier),
  bindQuery(policy.policySimulate, simulatePolicy),
  bindQuery(evidence.recordList, listRecords),
  bindQuery(evidence.recordGet, getRecord),
  bindQuery(evidence.recordProof, proveRecord),
  bindQuery(usageList, listUsage),
  bindQuery(evidence.ledgerCheckpoint, getCheckpoint),
  bindQuery(evidence.ledgerTile, getTile),
];

/** Queries by the id of their operation. */
export const queries: ReadonlyMap<string, BoundQuery> = registryOf(bound);
