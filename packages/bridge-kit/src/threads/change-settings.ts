// Owns the change of a loaded thread's settings: what is not as it is wanted is asked of the agent, and what is then in
// force is told to those who listen.

import { isDeepStrictEqual } from 'node:util';
import type { HubAgent } from './hub-agent.ts';
import type { HubThread } from './hub-thread.ts';
import { settingsNotice } from './settings-view.ts';
import type { SettingsInForce, WantedSettings } from './thread-settings.ts';
import { newWishes } from './wanted-settings.ts';

/** To be called under the thread's lock. */
export async function changeSettings(agent: HubAgent, thread: HubThread, wanted: WantedSettings): Promise<void> {
  const wishes = newWishes(wanted, thread.settings);
  if (wishes === undefined) return;
  takeSettings(thread, await agent.changeSettings(thread.id, wishes));
}

/** What is in force from now on; nobody is told when it is what was in force before. */
export function takeSettings(thread: HubThread, settings: SettingsInForce): void {
  const before = thread.settings;
  thread.settings = settings;
  if (isDeepStrictEqual(before, settings)) return;
  thread.notify('thread/settings/updated', { threadId: thread.id, threadSettings: settingsNotice(settings) });
}
