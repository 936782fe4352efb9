// Owns the registry of commands: every operation that changes something, with the function that decides it.

import * as access from '@countersign/contract/access-operations';
import * as directory from '@countersign/contract/directory-operations';
import * as evidence from '@countersign/contract/evidence-operations';
import * as models from '@countersign/contract/model-operations';
import * as policy from '@countersign/contract/policy-operations';
import { assignRole } from './assign-role.ts';
import { type BoundCommand, bindCommand } from './bound-command.ts';
import { createAgent } from './create-agent.ts';
import { createBudget } from './create-budget.ts';
import { createClassifier } from './create-classifier.ts';
import { createKey } from './create-key.ts';
import { createMembership } from './create-membership.ts';
import { createModel } from './create-model.ts';
import { createProvider } from './create-provider.ts';
import { createRateLimit } from './create-rate-limit.ts';
import { createService } from './create-service.ts';
import { createTeam } from './create-team.ts';
import { createTokenIssuer } from './create-token-issuer.ts';
import { createUser } from './create-user.ts';
import { createWorkspace } from './create-workspace.ts';
import { eraseUser } from './erase-user.ts';
import { provisionUser, userProvision } from './provision-user.ts';
import { publishPolicy } from './publish-policy.ts';
import { readContent } from './read-content.ts';
import { registryOf } from './registry.ts';
import { removeBudget } from './remove-budget.ts';
import { removeClassifier } from './remove-classifier.ts';
import { removeMembership } from './remove-membership.ts';
import { removeModel } from './remove-model.ts';
import { removeProvider } from './remove-provider.ts';
import { removeRateLimit } from './remove-rate-limit.ts';
import { removeTeam } from './remove-team.ts';
import { removeTokenIssuer } from './remove-token-issuer.ts';
import { revokeKey } from './revoke-key.ts';
import { rotateKey } from './rotate-key.ts';
import { unassignRole } from './unassign-role.ts';
import { updateAgent } from './update-agent.ts';
import { updateBudget } from './update-budget.ts';
import { updateClassifier } from './update-classifier.ts';
import { updateKey } from './update-key.ts';
import { updateModel } from './update-model.ts';
import { updateOrganization } from './update-organization.ts';
import { updateProvider } from './update-provider.ts';
import { updateRateLimit } from './update-rate-limit.ts';
import { updateService } from './update-service.ts';
import { updateTeam } from './update-team.ts';
import { updateTokenIssuer } from './update-token-issuer.ts';
import { updateUser } from './update-user.ts';
import { updateWorkspace } from './update-workspace.ts';

const bound: readonly BoundCommand[] = [
  bindCommand(directory.organizationUpdate, updateOrganization),
  bindCommand(directory.workspaceCreate, createWorkspace),
  bindCommand(directory.workspaceUpdate, updateWorkspace),
  bindCommand(directory.teamCreate, createTeam),
  bindCommand(directory.teamUpdate, updateTeam),
  bindCommand(directory.teamRemove, removeTeam),
  bindCommand(directory.membershipCreate, createMembership),
  bindCommand(directory.membershipRemove, removeMembership),
  bindCommand(directory.userCreate, createUser),
  bindCommand(directory.userUpdate, updateUser),
  bindCommand(directory.userErase, eraseUser),
  bindCommand(directory.serviceCreate, createService),
  bindCommand(directory.serviceUpdate, updateService),
  bindCommand(directory.agentCreate, createAgent),
  bindCommand(directory.agentUpdate, updateAgent),
  bindCommand(directory.roleAssignmentCreate, assignRole),
  bindCommand(directory.roleAssignmentRemove, unassignRole),
  bindCommand(access.keyCreate, createKey),
  bindCommand(access.keyUpdate, updateKey),
  bindCommand(access.keyRotate, rotateKey),
  bindCommand(access.keyRevoke, revokeKey),
  bindCommand(access.tokenIssuerCreate, createTokenIssuer),
  bindCommand(access.tokenIssuerUpdate, updateTokenIssuer),
  bindCommand(access.tokenIssuerRemove, removeTokenIssuer),
  bindCommand(models.providerCreate, createProvider),
  bindCommand(models.providerUpdate, updateProvider),
  bindCommand(models.providerRemove, removeProvider),
  bindCommand(models.modelCreate, createModel),
  bindCommand(models.modelUpdate, updateModel),
  bindCommand(models.modelRemove, removeModel),
  bindCommand(models.budgetCreate, createBudget),
  bindCommand(models.budgetUpdate, updateBudget),
  bindCommand(models.budgetRemove, removeBudget),
  bindCommand(models.rateLimitCreate, createRateLimit),
  bindCommand(models.rateLimitUpdate, updateRateLimit),
  bindCommand(models.rateLimitRemove, removeRateLimit),
  bindCommand(models.classifierCreate, createClassifier),
  bindCommand(models.classifierUpdate, updateClassifier),
  bindCommand(models.classifierRemove, removeClassifier),
  bindCommand(policy.policyPublish, publishPolicy),
  bindCommand(evidence.recordContent, readContent),
];

/** Commands that the software gives by itself. INVARIANT: none is in the contract, so that no request can name it. */
const internal: readonly BoundCommand[] = [bindCommand(userProvision, provisionUser)];

/** Commands by the id of their operation: those of the contract and the internal ones. */
export const commands: ReadonlyMap<string, BoundCommand> = registryOf([...bound, ...internal]);
