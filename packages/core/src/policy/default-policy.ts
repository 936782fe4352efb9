// Owns the policy that a new organization starts with.

/**
 * Cedar text that validates against `cedarSchema()`. What it does not permit is denied: hosted tools, tools,
 * pass-through of unknown endpoints, delegation and token exchange need rules of the organization's own.
 */
export const defaultPolicyText = `// What no rule permits is denied. A forbid beats every permit.
// Hosted tools (web search, code interpreters, connectors), pass-through of other endpoints, tool calls,
// delegation and token exchange have no permit here: add one for what you want to allow.
@id("members-use-their-workspaces-models")
@description("members may use the models of the workspace that they call from")
permit (
  principal,
  action in
    [Action::"chat",
     Action::"complete",
     Action::"embed",
     Action::"count_tokens",
     Action::"list_models"],
  resource is Model
)
when
{
  principal in context.workspace &&
  principal in [Role::"owner", Role::"admin", Role::"member"] &&
  resource in context.workspace
};

@id("a-person-stands-behind-every-call")
@description("a service that names no person is denied; name the service here to make an exception")
forbid (principal, action, resource)
unless { principal.person };

@id("sensitive-prompts-stay-inside")
@description("controlled or secret content, and content that nobody could read, never leaves the organization")
forbid (principal, action, resource)
when { resource has external && resource.external }
when
{
  context.opaque ||
  context.labels.containsAny(["controlled", "secret", "opaque", "unexamined"])
};
`;
