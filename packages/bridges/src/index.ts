// Every agent that heddle can drive, in the order in which they are listed.

import type { Bridge, BridgeContext } from '@heddle/bridge-kit';
import { type ClaudeOptions, createClaudeBridge } from './claude/bridge.ts';
import { type CodexOptions, createCodexBridge } from './codex/bridge.ts';
import { createDemoBridge } from './demo/bridge.ts';
import { createOpencodeBridge, type OpencodeOptions } from './opencode/bridge.ts';
import { createPiBridge, type PiOptions } from './pi/bridge.ts';

export interface BridgeOptions {
  codex: CodexOptions;
  claude: ClaudeOptions;
  opencode: OpencodeOptions;
  pi: PiOptions;
}

/** Makes all bridges; none starts anything yet. */
export function createBridges(context: BridgeContext, options: BridgeOptions): Bridge[] {
  const scoped = (name: string): BridgeContext => ({ ...context, log: context.log.scope(name) });
  return [
    createCodexBridge(scoped('codex'), options.codex),
    createClaudeBridge(scoped('claude'), options.claude),
    createOpencodeBridge(scoped('opencode'), options.opencode),
    createPiBridge(scoped('pi'), options.pi),
    createDemoBridge(scoped('demo')),
  ];
}
