// Owns the list of agents as people read it: which can be used, and what to do about the others.

import type { AgentInfo } from '@heddle/wire';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

/** One or two lines for each agent. */
export function renderAgents(agents: readonly AgentInfo[], paint: Paint): string[] {
  const nameWidth = Math.max(0, ...agents.map(({ name }) => name.length));
  const titleWidth = Math.max(0, ...agents.map(({ display_name }) => display_name.length));
  return agents.flatMap((agent) => {
    const mark = agent.available ? paint('green', '✓') : paint('red', '✗');
    const unasked = agent.available && agent.capabilities.approvals === 'none' ? [paint('yellow', 'acts without asking')] : [];
    const about = [agent.version, agent.unavailable?.reason].filter((part) => part !== undefined).map(printable);
    // The list may come from another computer, hence `printable`.
    const line = `${mark} ${printable(agent.name).padEnd(nameWidth)}  ${printable(agent.display_name).padEnd(titleWidth)}  ${[...about, ...unasked].join('  ')}`;
    const fix =
      agent.unavailable === undefined ? [] : [`  ${' '.repeat(nameWidth)}  ${paint('dim', `→ ${printable(agent.unavailable.fix)}`)}`];
    return [line.trimEnd(), ...fix];
  });
}
