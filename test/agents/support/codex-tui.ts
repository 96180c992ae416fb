// Owns the Codex TUI in front of `heddle attach --listen`, each started as a user does, in a home of its own. What codex
// itself would need to answer (a model, an account) is not there: everything it shows comes from the agent behind heddle.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { agentPaths, agentsRoot } from '../../../scripts/install-agents.ts';
import { Terminal } from './terminal.ts';

const heddle = path.join(import.meta.dirname, '../../../packages/cli/src/main.ts');
const LISTENS = /ws:\/\/127\.0\.0\.1:\d+/;

/** `heddle attach AGENT --listen` on a free port. */
export interface AttachListener {
  url: string;
  end(): Promise<void>;
}

/** @param env leads to the daemon. @throws Error with what the command has said when it ends before it listens. */
export async function listenForAgent(agent: string, env: NodeJS.ProcessEnv): Promise<AttachListener> {
  const listener = spawn(process.execPath, [heddle, 'attach', agent, '--listen', 'ws://127.0.0.1:0'], { env, stdio: 'pipe' });
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    listener.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      const found = LISTENS.exec(said);
      if (found !== null) resolve(found[0]);
    });
    listener.once('exit', (code) => reject(new Error(`heddle attach ended with ${code}: ${said}`)));
  });
  return {
    url,
    async end() {
      const gone = once(listener, 'exit');
      listener.kill('SIGINT');
      await gone;
    },
  };
}

/** Of a user whose codex has never been used. */
export interface TuiHome {
  env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

/** It lies in the checkout: under the system's temporary folder codex refuses to make its helper aliases. */
export async function makeTuiHome(): Promise<TuiHome> {
  const homes = path.join(agentsRoot, 'homes');
  await mkdir(homes, { recursive: true, mode: 0o700 });
  const home = await mkdtemp(path.join(homes, 'tui-'));
  const codexHome = path.join(home, '.codex');
  await mkdir(codexHome, { mode: 0o700 });
  await writeFile(path.join(codexHome, 'config.toml'), 'check_for_update_on_startup = false\n[analytics]\nenabled = false\n', {
    mode: 0o600,
  });
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:OPENAI|CODEX)_/.test(name));
  return {
    env: { ...Object.fromEntries(inherited), HOME: home, USERPROFILE: home, CODEX_HOME: codexHome },
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}

export class CodexTui extends Terminal {
  private constructor(home: TuiHome, url: string, folder: string) {
    super([agentPaths().codex, '--remote', url, '-C', folder], { env: home.env, cwd: folder });
  }

  /** Resolves when it has a thread in `folder`: the line below the prompt tells of its model, and the greeting follows. */
  static async start(home: TuiHome, url: string, folder: string): Promise<CodexTui> {
    const tui = new CodexTui(home, url, folder);
    try {
      await tui.shows('Ask Codex to do anything');
      await tui.shows(/^ {2}\S.* (?:default|low|medium|high|xhigh) · \//m);
      await tui.shows('To get started,');
      return tui;
    } catch (error) {
      tui.end();
      throw error;
    }
  }

  /** Sends a message. What it says is then on the screen too: an answer is told from it by the dot before it. */
  async say(prompt: string): Promise<void> {
    this.paste(prompt);
    await this.showsWrapped(prompt.slice(-60)); // it may be longer than the screen
    this.press('Enter');
  }

  /** Gives one of the TUI's own commands, once it is what the list of them offers. */
  async command(name: string): Promise<void> {
    this.type(name);
    await this.shows(new RegExp(`${name} {2,}\\S`));
    this.press('Enter');
  }

  /** Waits for a text of the agent's that begins with these words. */
  async says(words: string): Promise<void> {
    await this.shows(`\n• ${words}`);
  }
}
