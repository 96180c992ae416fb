// Owns what an agent answers about itself: models, skills, modes, limits; and, the same for all, that heddle's agents
// have no account, hooks or configuration to show. Nothing in it is a secret.

import { isAbsolute } from 'node:path';
import type { HandlersOf, OlderHandlersOf } from '../server/call.ts';
import { pageOf } from '../server/page.ts';
import type { HubAgent } from './hub-agent.ts';
import { mcpServerView } from './mcp-server-view.ts';
import type { ThreadHub } from './thread-hub.ts';

type AgentMethod =
  | 'model/list'
  | 'skills/list'
  | 'mcpServerStatus/list'
  | 'collaborationMode/list'
  | 'account/read'
  | 'account/rateLimits/read'
  | 'config/read'
  | 'configRequirements/read'
  | 'hooks/list';

/**
 * Who may drive an agent here may do so in every folder. The Codex TUI goes to no folder (`--cd`) that this does not call
 * trusted: it would have the answer stored, and nothing of codex's configuration is (0.169, tried).
 */
function trusted(cwd: string | undefined): Record<string, unknown> {
  return cwd !== undefined && isAbsolute(cwd) ? { projects: { [cwd]: { trust_level: 'trusted' } } } : {};
}

const modeNames = { default: 'Default', plan: 'Plan' } as const satisfies Record<HubAgent['modes'][number], string>;

export function agentRequests(hub: ThreadHub): HandlersOf<AgentMethod> & OlderHandlersOf<'getAuthStatus'> {
  const { agent } = hub;
  return {
    async 'model/list'(call) {
      const { params } = call;
      const includesHidden = params.flag('includeHidden');
      const request = { cursor: params.optionalText('cursor'), limit: params.optionalCount('limit'), direction: 'asc' as const };
      const models = (await agent.models()).filter((model) => includesHidden || !model.hidden);
      const page = pageOf(
        models.map((value, rank) => ({ value, rank, id: value.id })),
        request,
      );
      call.reply({ data: page.data, nextCursor: page.nextCursor });
    },

    async 'skills/list'(call) {
      const folders = call.params.optionalTexts('cwds') ?? [];
      const entry = async (cwd: string) => {
        const skills = (await agent.skills(cwd)).map((skill) => ({ ...skill, enabled: true }));
        return { cwd, skills, errors: [] };
      };
      call.reply({ data: await Promise.all(folders.map(entry)) });
    },

    async 'mcpServerStatus/list'(call) {
      const { params } = call;
      const threadId = params.optionalText('threadId');
      const cwd = threadId === undefined ? undefined : hub.loaded.require(threadId).settings.cwd;
      const only = params.optionalText('serverName');
      const servers = ((await agent.mcpServers?.(cwd)) ?? []).filter(({ name }) => only === undefined || name === only);
      const request = { cursor: params.optionalText('cursor'), limit: params.optionalCount('limit'), direction: 'asc' as const };
      const page = pageOf(
        servers.map((server, rank) => ({ value: mcpServerView(server), rank, id: server.name })),
        request,
      );
      call.reply({ data: page.data, nextCursor: page.nextCursor });
    },

    'collaborationMode/list'(call) {
      call.reply({ data: agent.modes.map((mode) => ({ name: modeNames[mode], mode, model: null, reasoning_effort: null })) });
    },

    'account/read'(call) {
      call.reply({ account: null, userId: null, requiresOpenaiAuth: false, workspaceRouting: null });
    },

    async 'account/rateLimits/read'(call) {
      call.reply({ rateLimits: await hub.rateLimits.read(), rateLimitsByLimitId: null });
    },

    async 'config/read'(call) {
      const model = (await agent.models()).find((one) => one.isDefault)?.model ?? null;
      call.reply({
        config: { model, model_provider: agent.name, ...trusted(call.params.optionalText('cwd')) },
        origins: {},
        layers: null,
      });
    },

    // The Codex TUI does not start without this answer (0.169, tried with `codex --remote`).
    'configRequirements/read'(call) {
      call.reply({ requirements: null });
    },

    'hooks/list'(call) {
      const folders = call.params.optionalTexts('cwds') ?? [];
      call.reply({ data: folders.map((cwd) => ({ cwd, hooks: [], warnings: [], errors: [] })) });
    },

    getAuthStatus(call) {
      call.reply({ authMethod: null, authToken: null, requiresOpenaiAuth: false });
    },
  };
}
