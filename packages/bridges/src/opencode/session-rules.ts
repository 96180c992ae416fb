// Owns the rules that heddle writes into a session, so that opencode asks there where the configuration of its server does
// not make it ask: on a server that is not heddle's own, and before tools of MCP servers that a project brings. Rules are
// only ever added to a session, and the last one counts (1.18.33, measured). Pure.

import { type Fields, fieldsOf, listOf, textOf } from '@heddle/bridge-kit';
import { readOnlyAgents, unsaidPermissions } from './server/configuration.ts';

export interface PermissionRule {
  permission: string;
  pattern: string;
  action: 'allow' | 'deny' | 'ask';
}

/** The start of one. */
const SUB_AGENT = 'task';

/**
 * What is still to be added to a session before it is prompted. A sub-agent's session does not take these rules over, and
 * what is added to it while it works counts for nothing; so its start is asked about.
 * @param configuration the user's, as `GET /config` tells it for the folder
 * @param where the agent that will work in it; whether the server is somebody else's
 */
export function missingRules(
  known: readonly PermissionRule[],
  configuration: unknown,
  { agent, isForeign }: { agent: string | undefined; isForeign: boolean },
): PermissionRule[] {
  const isReadOnly = readOnlyAgents.some((each) => each === agent);
  const own = fieldsOf(configuration);
  const unsaid = unsaidPermissions(own);
  const isTaskOpen = (isForeign || unsaid.length > 0) && !(SUB_AGENT in fieldsOf(own['permission']));
  const wanted = [...unsaid, ...(isTaskOpen ? [SUB_AGENT] : [])].map((permission): PermissionRule => {
    return { permission, pattern: '*', action: permission === 'edit' && isReadOnly ? 'deny' : 'ask' };
  });
  return wanted.filter((rule) => known.findLast(isAbout(rule))?.action !== rule.action);
}

export function readRules(value: unknown): PermissionRule[] {
  return listOf(value).flatMap((each) => {
    const { permission, pattern, action }: Fields = fieldsOf(each);
    const isKnown = action === 'allow' || action === 'deny' || action === 'ask';
    return isKnown ? [{ permission: textOf(permission) ?? '', pattern: textOf(pattern) ?? '', action }] : [];
  });
}

function isAbout({ permission, pattern }: PermissionRule): (rule: PermissionRule) => boolean {
  return (rule) => rule.permission === permission && rule.pattern === pattern;
}
